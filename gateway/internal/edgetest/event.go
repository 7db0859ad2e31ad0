// Package edgetest runs small services that keep the contracts in memory, for tests of the edge: real gRPC servers with
// the project's own chain in front, so that tokens, roles and rules count.
package edgetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
)

// ErrSlow makes a call take until its deadline.
var ErrSlow = errors.New("slow")

// Events keeps events. Creating an event whose name is a key of Failures fails with that error; nil panics.
type Events struct {
	eventv1.UnimplementedEventServiceServer

	Failures map[string]error

	mu       sync.Mutex
	all      []*eventv1.Event
	version  int
	metadata metadata.MD
	request  proto.Message
}

// Seen gives the metadata and the request of the last call.
func (s *Events) Seen() (metadata.MD, proto.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.metadata, s.request
}

func (s *Events) see(ctx context.Context, request proto.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.metadata, _ = metadata.FromIncomingContext(ctx)
	s.request = proto.Clone(request)
}

// CreateEvent implements the contract.
func (s *Events) CreateEvent(ctx context.Context, r *eventv1.CreateEventRequest) (*eventv1.Event, error) {
	s.see(ctx, r)
	if err := s.trouble(ctx, r.GetEvent().GetName()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := proto.CloneOf(r.GetEvent())
	if e.GetName() == "" {
		return nil, fault.InvalidField("event.name", "must not be empty")
	}
	s.version++
	if e.Id = r.GetEventId(); e.GetId() == "" {
		e.Id = "id-" + strconv.Itoa(s.version)
	}
	if s.find(e.GetId()) >= 0 {
		return nil, fault.Taken("Event", e.GetId())
	}
	e.Kind, e.CreateTime, e.Etag = eventv1.Event_PLANNED, timestamppb.Now(), "v"+strconv.Itoa(s.version)
	s.all = append(s.all, e)
	return proto.CloneOf(e), nil
}

func (s *Events) trouble(ctx context.Context, name string) error {
	err, ok := s.Failures[name]
	switch {
	case ok && err == nil:
		panic("as asked")
	case errors.Is(err, ErrSlow):
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}

// find gives the index of an event; -1 if there is none.
func (s *Events) find(id string) int {
	for i, e := range s.all {
		if e.GetId() == id {
			return i
		}
	}
	return -1
}

// GetEvent implements the contract.
func (s *Events) GetEvent(ctx context.Context, r *eventv1.GetEventRequest) (*eventv1.Event, error) {
	s.see(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.GetId())
	if i < 0 {
		return nil, fault.Missing("Event", r.GetId())
	}
	return proto.CloneOf(s.all[i]), nil
}

// UpdateEvent implements the contract.
func (s *Events) UpdateEvent(ctx context.Context, r *eventv1.UpdateEventRequest) (*eventv1.Event, error) {
	s.see(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.GetEvent().GetId())
	if i < 0 {
		return nil, fault.Missing("Event", r.GetEvent().GetId())
	}
	e := s.all[i]
	if etag := r.GetEvent().GetEtag(); etag != "" && etag != e.GetEtag() {
		return nil, fault.Changed("Event", e.GetId())
	}
	for _, path := range r.GetUpdateMask().GetPaths() {
		switch path {
		case "name":
			e.Name = r.GetEvent().GetName()
		case "date_event":
			e.DateEvent = r.GetEvent().GetDateEvent()
		}
	}
	s.version++
	e.UpdateTime, e.Etag = timestamppb.New(time.Now()), "v"+strconv.Itoa(s.version)
	return proto.CloneOf(e), nil
}

// DeleteEvent implements the contract.
func (s *Events) DeleteEvent(ctx context.Context, r *eventv1.DeleteEventRequest) (*emptypb.Empty, error) {
	s.see(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(r.GetId())
	switch {
	case i < 0:
		return nil, fault.Missing("Event", r.GetId())
	case r.GetEtag() != "" && r.GetEtag() != s.all[i].GetEtag():
		return nil, fault.Changed("Event", r.GetId())
	}
	s.all = append(s.all[:i], s.all[i+1:]...)
	return &emptypb.Empty{}, nil
}

// ListEvents implements the contract, without filters and paging.
func (s *Events) ListEvents(ctx context.Context, r *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	s.see(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &eventv1.ListEventsResponse{}
	for _, e := range s.all {
		answer.Events = append(answer.Events, proto.CloneOf(e))
	}
	return answer, nil
}

// FindEventByDate implements the contract.
func (s *Events) FindEventByDate(ctx context.Context, r *eventv1.FindEventByDateRequest) (*eventv1.FindEventByDateResponse, error) {
	s.see(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := &eventv1.FindEventByDateResponse{}
	for _, e := range s.all {
		if e.GetDateEvent() != r.GetDateEvent() {
			continue
		}
		if answer.TotalCount++; answer.Event == nil {
			answer.Event = proto.CloneOf(e)
		}
	}
	if answer.Event == nil {
		return nil, fault.Missing("Event", r.GetDateEvent())
	}
	return answer, nil
}
