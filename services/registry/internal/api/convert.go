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
		Key:     registry.Key{Service: i.GetService(), ID: i.GetId()},
		Address: i.GetAddress(), Reported: toStatus(i.GetStatus()), Zone: i.GetZone(), Weight: i.GetWeight(),
		Metadata: i.GetMetadata(),
	}
}

func fromInstance(i registry.Instance) *registryv1.Instance {
	return &registryv1.Instance{
		Service: i.Service, Id: i.ID, Address: i.Address, Status: fromStatus(i.Status()), Override: fromStatus(i.Override),
		Zone: i.Zone, Weight: i.Weight, Metadata: i.Metadata, JoinTime: fromTime(i.JoinTime), UpdateTime: fromTime(i.UpdateTime),
	}
}

func fromInstances(instances []registry.Instance) []*registryv1.Instance {
	all := make([]*registryv1.Instance, len(instances))
	for i, instance := range instances {
		all[i] = fromInstance(instance)
	}
	return all
}

// statuses has every status but the absent one, which is zero on both sides.
var statuses = map[registryv1.Instance_Status]registry.Status{
	registryv1.Instance_UP:             registry.Up,
	registryv1.Instance_OUT_OF_SERVICE: registry.OutOfService,
	registryv1.Instance_STARTING:       registry.Starting,
	registryv1.Instance_DOWN:           registry.Down,
	registryv1.Instance_UNKNOWN:        registry.Unknown,
}

// toStatus gives zero, which the domain refuses of an instance, for what the contract doesn't know.
func toStatus(s registryv1.Instance_Status) registry.Status { return statuses[s] }

func fromStatus(s registry.Status) registryv1.Instance_Status {
	for wire, status := range statuses {
		if status == s {
			return wire
		}
	}
	return registryv1.Instance_STATUS_UNSPECIFIED
}

func fromTime(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
