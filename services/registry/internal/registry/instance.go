package registry

import (
	"bytes"
	"cmp"
	"maps"
	"time"

	"eventprospect/mesh/fault"
)

// Status says whether an instance takes requests; all but Up say that it doesn't.
type Status int

const (
	// Up takes requests.
	Up Status = iota + 1
	// OutOfService is about to stop, or was taken out by hand.
	OutOfService
	// Starting does not take requests yet.
	Starting
	// Down finds itself unhealthy.
	Down
	// Unknown is what nobody can tell.
	Unknown
)

// Key names an instance.
type Key struct{ Service, ID string }

// Compare orders keys by service and id, as package cmp does.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Service, other.Service), cmp.Compare(k.ID, other.ID))
}

// Instance is one running process of a service. It is a value: nobody changes its Metadata or Details once it was handed over.
type Instance struct {
	// Key names it: the ID is unique among the service's instances.
	Key
	// Address is where it serves, as host:port.
	Address string
	// Reported is what the instance says of itself.
	Reported Status
	// Override is the status that SetStatus has set; zero if none.
	Override Status
	// Zone is where it runs; empty if not told.
	Zone string
	// Weight is its share of the requests, compared with the others'; 0 counts as 1.
	Weight uint32
	// Metadata is anything else worth knowing.
	Metadata map[string]string
	// Details is what the face through which it came needs to show it again. The registry keeps it unread.
	Details []byte
	// Leased tells that it lives by Register and Renew, not by a Session.
	Leased bool
	// JoinTime and UpdateTime are set by the Registry.
	JoinTime, UpdateTime time.Time
}

// Status is the one that counts: what the instance says, unless it says Up and somebody knows better.
func (i Instance) Status() Status {
	if i.Reported == Up && i.Override != 0 {
		return i.Override
	}
	return i.Reported
}

// check refuses an instance that nobody could use. The faces check more: the form of names, the length of texts.
func (i Instance) check(maxSize int) error {
	var violations []fault.Violation
	require := func(field string, ok bool) {
		if !ok {
			violations = append(violations, fault.Violation{Field: "instance." + field, Detail: "must be set"})
		}
	}
	require("service", i.Service != "")
	require("id", i.ID != "")
	require("address", i.Address != "")
	require("status", i.Reported.valid())
	if len(violations) > 0 {
		return fault.InvalidFields(violations...)
	}
	if size := i.size(); size > maxSize {
		return fault.New(fault.Exhausted, "instance %q of %q takes %d bytes, and at most %d are kept: shorten its metadata", i.ID, i.Service, size, maxSize)
	}
	return nil
}

func (s Status) valid() bool { return s >= Up && s <= Unknown }

// size is about what the instance takes of the memory, in bytes.
func (i Instance) size() int {
	size := len(i.Service) + len(i.ID) + len(i.Address) + len(i.Zone) + len(i.Details)
	for k, v := range i.Metadata {
		size += len(k) + len(v)
	}
	return size
}

// own gives a copy that shares nothing with the caller.
func (i Instance) own() Instance {
	i.Metadata, i.Details = maps.Clone(i.Metadata), bytes.Clone(i.Details)
	return i
}

// saysSame tells whether another instance says the same of itself; what the registry sets doesn't count.
func (i Instance) saysSame(other Instance) bool {
	return i.Key == other.Key && i.Address == other.Address && i.Reported == other.Reported && i.Zone == other.Zone &&
		i.Weight == other.Weight && i.Leased == other.Leased && maps.Equal(i.Metadata, other.Metadata) && bytes.Equal(i.Details, other.Details)
}

func compare(a, b Instance) int { return a.Compare(b.Key) }
