// Package api is the registry's gRPC face.
package api

import (
	"context"
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

// ListInstances lists all instances, or those of one service, page by page.
func (s *Server) ListInstances(_ context.Context, request *registryv1.ListInstancesRequest) (*registryv1.ListInstancesResponse, error) {
	page, next, err := paginate(s.registry.List(request.GetService()), request)
	if err != nil {
		return nil, err
	}
	return &registryv1.ListInstancesResponse{Instances: page, NextPageToken: next}, nil
}

// GetInstance gets one instance.
func (s *Server) GetInstance(_ context.Context, request *registryv1.GetInstanceRequest) (*registryv1.Instance, error) {
	instance, err := s.registry.Get(registry.Key{Service: request.GetService(), ID: request.GetId()})
	if err != nil {
		return nil, err
	}
	return fromInstance(instance), nil
}

// SetStatus takes an instance out of service, or back in.
func (s *Server) SetStatus(ctx context.Context, request *registryv1.SetStatusRequest) (*registryv1.Instance, error) {
	key := registry.Key{Service: request.GetService(), ID: request.GetId()}
	instance, err := s.registry.SetStatus(ctx, key, toStatus(request.GetStatus()))
	if err != nil {
		return nil, err
	}
	return fromInstance(instance), nil
}
