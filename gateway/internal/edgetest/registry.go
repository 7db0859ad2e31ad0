package edgetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
)

// Registry keeps each instance for as long as it is joined.
type Registry struct {
	registryv1.UnimplementedRegistryServiceServer

	mu      sync.Mutex
	all     map[*registryv1.JoinRequest]*registryv1.Instance
	changed chan struct{}
	lister  auth.Identity
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry {
	return &Registry{all: map[*registryv1.JoinRequest]*registryv1.Instance{}, changed: make(chan struct{})}
}

// Lister tells who asked for the last list.
func (s *Registry) Lister() auth.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lister
}

// Join implements the contract.
func (s *Registry) Join(stream registryv1.RegistryService_JoinServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if first.GetInstance() == nil {
		return fault.InvalidField("instance", "must be in the first message")
	}
	s.put(first, first.GetInstance())
	defer s.put(first, nil)
	for {
		if err := stream.Send(&registryv1.JoinResponse{Term: durationpb.New(time.Minute)}); err != nil {
			return err
		}
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if next.GetInstance() != nil {
			s.put(first, next.GetInstance())
		}
	}
}

// put notes an instance, or that it is gone, and wakes those who watch.
func (s *Registry) put(key *registryv1.JoinRequest, instance *registryv1.Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[key] = instance; instance == nil {
		delete(s.all, key)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// list gives the instances of a service that are UP, or of all services, and what closes when that changes.
func (s *Registry) list(service string) ([]*registryv1.Instance, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var some []*registryv1.Instance
	for _, instance := range s.all {
		if (service == "" || instance.GetService() == service) && instance.GetStatus() == registryv1.Instance_UP {
			some = append(some, instance)
		}
	}
	return some, s.changed
}

// Watch implements the contract. It tells everything anew with each change, which a registry may.
func (s *Registry) Watch(r *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	for revision := int64(1); ; revision++ {
		some, changed := s.list(r.GetService())
		if err := stream.Send(&registryv1.WatchResponse{Instances: some, Revision: revision, Snapshot: true}); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-stream.Context().Done():
			return nil
		}
	}
}

// ListInstances implements the contract.
func (s *Registry) ListInstances(ctx context.Context, r *registryv1.ListInstancesRequest) (*registryv1.ListInstancesResponse, error) {
	identity, _ := auth.FromContext(ctx)
	s.mu.Lock()
	s.lister = identity
	s.mu.Unlock()
	some, _ := s.list(r.GetService())
	return &registryv1.ListInstancesResponse{Instances: some}, nil
}
