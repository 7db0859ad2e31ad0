// Package api is the registry's gRPC face.
package api

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/services/registry/internal/registry"
)

// Server serves registry.v1.RegistryService.
type Server struct {
	registryv1.UnsafeRegistryServiceServer // a method of the contract that is missing here does not compile

	registry *registry.Registry
	joined   *registryv1.JoinResponse
}

// New makes the face of a registry whose instances stay for term.
func New(core *registry.Registry, term time.Duration) *Server {
	return &Server{registry: core, joined: &registryv1.JoinResponse{Term: durationpb.New(term)}}
}

// Join keeps an instance registered as long as the stream is open and heard from.
func (s *Server) Join(stream registryv1.RegistryService_JoinServer) error {
	session, err := s.registry.Open()
	if err != nil {
		return err
	}
	defer session.Close()
	messages := receive(stream)
	for {
		select {
		case <-session.Done():
			return session.Err()
		case <-stream.Context().Done():
			return stream.Context().Err()
		case m := <-messages:
			if errors.Is(m.err, io.EOF) {
				return nil
			}
			if m.err != nil {
				return m.err
			}
			if err := hear(session, m.request); err != nil {
				return err
			}
			if err := stream.Send(s.joined); err != nil {
				return err
			}
		}
	}
}

// hear takes in one message: a heartbeat, or an instance.
func hear(session *registry.Session, request *registryv1.JoinRequest) error {
	if request.GetInstance() == nil {
		return session.Renew()
	}
	return session.Put(toInstance(request.GetInstance()))
}

type message struct {
	request *registryv1.JoinRequest
	err     error
}

// receive reads a stream until its first error, so that other things can be waited for, too. Reading ends with the call;
// an error that comes of the call's end may not be delivered.
func receive(stream registryv1.RegistryService_JoinServer) <-chan message {
	messages := make(chan message)
	go func() {
		for {
			request, err := stream.Recv()
			select {
			case messages <- message{request, err}:
			case <-stream.Context().Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return messages
}

// Watch follows one service.
func (s *Server) Watch(request *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	watch, err := s.registry.Watch(request.GetService())
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		snapshot, err := watch.Next(stream.Context())
		if err != nil {
			return err
		}
		answer := &registryv1.WatchResponse{Instances: fromInstances(snapshot.Instances), Revision: snapshot.Revision}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

// ListInstances lists all instances, or those of one service.
func (s *Server) ListInstances(_ context.Context, request *registryv1.ListInstancesRequest) (*registryv1.ListInstancesResponse, error) {
	return &registryv1.ListInstancesResponse{Instances: fromInstances(s.registry.List(request.GetService()))}, nil
}
