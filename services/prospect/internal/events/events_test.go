package events_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/services/prospect/internal/events"
)

// service is an Event service that gives one answer.
type service struct {
	eventv1.EventServiceClient
	err   error
	asked string
}

func (s *service) GetEvent(_ context.Context, req *eventv1.GetEventRequest, _ ...grpc.CallOption) (*eventv1.Event, error) {
	s.asked = req.GetId()
	return &eventv1.Event{Id: req.GetId()}, s.err
}

func TestExists(t *testing.T) {
	t.Parallel()
	const none = fault.Kind(-1)
	cases := map[string]struct {
		answer error
		exists bool
		kind   fault.Kind // of the error; none: no error
	}{
		"found":           {nil, true, none},
		"not found":       {fault.Missing("Event", "e"), false, none},
		"no id at all":    {fault.InvalidField("id", "is none"), false, none},
		"away":            {fault.Away("x", time.Second), false, fault.Unavailable},
		"too slow":        {fault.New(fault.Timeout, "slow"), false, fault.Unavailable},
		"too much":        {fault.New(fault.Exhausted, "much"), false, fault.Unavailable},
		"caller gave up":  {fault.New(fault.Canceled, "gone"), false, fault.Canceled},
		"role missing":    {fault.New(fault.Denied, "no role"), false, fault.Internal},
		"token refused":   {fault.New(fault.Unauthenticated, "no token"), false, fault.Unavailable},
		"defect":          {fault.New(fault.Internal, "bug"), false, fault.Internal},
		"no such method":  {fault.New(fault.Unimplemented, "old"), false, fault.Internal},
		"something other": {errors.New("other"), false, fault.Internal},
	}
	for name, c := range cases {
		s := &service{err: c.answer}
		exists, err := events.New(s).Exists(t.Context(), "e")
		if exists != c.exists || kindOf(err, none) != c.kind {
			t.Errorf("%s: %v, %v", name, exists, err)
		}
		if s.asked != "e" {
			t.Errorf("%s: asked for %q", name, s.asked)
		}
	}
}

// kindOf gives the kind that the caller will see.
func kindOf(err error, none fault.Kind) fault.Kind {
	if err == nil {
		return none
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return fault.Internal
}

func TestAwayTellsWhenToTryAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		answer error
		want   time.Duration
	}{
		"nobody knows":        {fault.New(fault.Timeout, "at 10.0.0.7"), time.Second},
		"the breaker is open": {fault.Away("x", 7*time.Second), 7 * time.Second},
	}
	for name, c := range cases {
		_, err := events.New(&service{err: c.answer}).Exists(t.Context(), "e")
		var f *fault.Error
		if !errors.As(err, &f) || f.RetryAfter != c.want || f.Message != "the Event service does not answer now: try again" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
