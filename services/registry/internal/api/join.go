package api

import (
	"context"
	"errors"
	"io"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/services/registry/internal/registry"
)

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
			if err := hear(stream.Context(), session, m.request); err != nil {
				return err
			}
			if err := stream.Send(s.joined); err != nil {
				return err
			}
		}
	}
}

// hear takes in one message: a heartbeat, or an instance.
func hear(ctx context.Context, session *registry.Session, request *registryv1.JoinRequest) error {
	if request.GetInstance() == nil {
		return session.Renew()
	}
	return session.Put(ctx, toInstance(request.GetInstance()))
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
