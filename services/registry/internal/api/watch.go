package api

import (
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/services/registry/internal/registry"
)

// Watch follows one service.
func (s *Server) Watch(request *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	watch, err := s.registry.Watch(request.GetService(), request.GetRevision())
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		update, err := watch.Next(stream.Context())
		if err != nil {
			return err
		}
		if err := send(stream, update); err != nil {
			return err
		}
	}
}

// send sends an update, in parts if it is large.
func send(stream registryv1.RegistryService_WatchServer, update registry.Update) error {
	part := &registryv1.WatchResponse{Revision: update.Revision, Snapshot: update.Reset}
	for _, key := range update.Removed {
		part.RemovedIds = append(part.RemovedIds, key.ID)
	}
	rest := fromInstances(update.Changed)
	for fit := fitting(rest); fit < len(rest); fit = fitting(rest) {
		part.Instances, part.More = rest[:fit], true
		if err := stream.Send(part); err != nil {
			return err
		}
		rest, part = rest[fit:], &registryv1.WatchResponse{Revision: update.Revision}
	}
	part.Instances = rest
	return stream.Send(part)
}
