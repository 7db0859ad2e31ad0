package api

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/services/registry/internal/registry"
)

// toInstance leaves out what the registry sets itself.
func toInstance(i *registryv1.Instance) registry.Instance {
	return registry.Instance{
		Service: i.GetService(), ID: i.GetId(), Address: i.GetAddress(), Status: toStatus(i.GetStatus()),
		Zone: i.GetZone(), Metadata: i.GetMetadata(),
	}
}

func fromInstance(i registry.Instance) *registryv1.Instance {
	return &registryv1.Instance{
		Service: i.Service, Id: i.ID, Address: i.Address, Status: fromStatus(i.Status),
		Zone: i.Zone, Metadata: i.Metadata, JoinTime: fromTime(i.JoinTime), UpdateTime: fromTime(i.UpdateTime),
	}
}

func fromInstances(instances []registry.Instance) []*registryv1.Instance {
	all := make([]*registryv1.Instance, len(instances))
	for i, instance := range instances {
		all[i] = fromInstance(instance)
	}
	return all
}

// toStatus gives zero, which the domain refuses, for what the contract doesn't know.
func toStatus(s registryv1.Instance_Status) registry.Status {
	switch s {
	case registryv1.Instance_UP:
		return registry.Up
	case registryv1.Instance_OUT_OF_SERVICE:
		return registry.OutOfService
	default:
		return 0
	}
}

func fromStatus(s registry.Status) registryv1.Instance_Status {
	switch s {
	case registry.Up:
		return registryv1.Instance_UP
	case registry.OutOfService:
		return registryv1.Instance_OUT_OF_SERVICE
	default:
		return registryv1.Instance_STATUS_UNSPECIFIED
	}
}

func fromTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
