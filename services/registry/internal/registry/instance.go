package registry

import (
	"maps"
	"time"

	"eventprospect/mesh/fault"
)

// Status says whether an instance takes requests.
type Status int

const (
	// Up takes requests.
	Up Status = iota + 1
	// OutOfService does not: it is about to stop, or was taken out by hand.
	OutOfService
)

// Instance is one running process of a service. It is a value: nobody changes its Metadata once it was handed over.
type Instance struct {
	// Service and ID name it; ID is unique among the service's instances.
	Service, ID string
	// Address is where it serves gRPC, as host:port.
	Address string
	Status  Status
	// Zone is where it runs; empty if not told.
	Zone string
	// Metadata is anything else worth knowing.
	Metadata map[string]string
	// JoinTime and UpdateTime are set by the Registry.
	JoinTime, UpdateTime time.Time
}

// check refuses an instance that nobody could use. The faces check more: the form of names, the length of texts.
func (i Instance) check() error {
	var violations []fault.Violation
	require := func(field string, ok bool) {
		if !ok {
			violations = append(violations, fault.Violation{Field: "instance." + field, Detail: "must be set"})
		}
	}
	require("service", i.Service != "")
	require("id", i.ID != "")
	require("address", i.Address != "")
	require("status", i.Status == Up || i.Status == OutOfService)
	if len(violations) > 0 {
		return fault.InvalidFields(violations...)
	}
	return nil
}

// saysSame tells whether another instance says the same of itself; the times don't count, they are ours.
func (i Instance) saysSame(other Instance) bool {
	return i.Service == other.Service && i.ID == other.ID && i.Address == other.Address &&
		i.Status == other.Status && i.Zone == other.Zone && maps.Equal(i.Metadata, other.Metadata)
}
