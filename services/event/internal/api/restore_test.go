package api

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
)

// told makes the n-th message that a prospect was created.
func told(n int) *eventsv1.ProspectEvent {
	return &eventsv1.ProspectEvent{
		Id: fmt.Sprintf("0195f0c8-1111-7000-8000-%012d", n), Kind: eventsv1.ProspectEvent_CREATED, ProspectId: "p", Version: 1,
		OccurTime: timestamppb.New(time.Date(2026, 11, 23, 10, 20, 30, 0, time.UTC)),
	}
}

// consumed has the consumer apply messages, and gives the ids of their events.
func (r *running) consumed(t *testing.T, messages ...*eventsv1.ProspectEvent) []string {
	t.Helper()
	handler, err := consumer.New(r.events)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, message := range messages {
		o, err := handler.Occurrence(message)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.events.Record(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, o.EventID)
	}
	return ids
}

func TestRestoreEvents(t *testing.T) {
	t.Parallel()
	r := start(t)
	admin := meshtest.As(t, r.issuer.Token("admin", "editor", "reader"))
	ids := r.consumed(t, told(1), told(2), told(3))
	for _, id := range ids[:2] {
		if _, err := r.DeleteEvent(admin, &eventv1.DeleteEventRequest{Id: id}); err != nil {
			t.Fatal(err)
		}
	}
	newer := told(9)
	newer.Kind = 99
	req := &eventv1.RestoreEventsRequest{Messages: []*eventsv1.ProspectEvent{told(1), told(2), told(3), told(4), newer, told(4)}}
	for _, want := range []*eventv1.RestoreEventsResponse{
		{RestoredCount: 3, PresentCount: 2, NewerCount: 1}, {PresentCount: 5, NewerCount: 1},
	} {
		got, err := r.restore.RestoreEvents(admin, req)
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("%v, error %v; want %v", got, err, want)
		}
	}
	restored, err := r.BatchGetEvents(admin, &eventv1.BatchGetEventsRequest{Ids: ids})
	if err != nil || len(restored.GetEvents()) != 3 || restored.GetEvents()[0].GetDateEvent() != "2026-11-23" {
		t.Errorf("%v, error %v", restored, err)
	}
	r.consumed(t, told(4)) // what was restored isn't applied again
	if _, total, err := r.events.Page(t.Context(), 0, 10); err != nil || total != 4 {
		t.Errorf("%d events, error %v", total, err)
	}
}

func TestRestoreEventsRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	bad, late := told(2), told(3)
	bad.ProspectId = ""
	late.OccurTime = &timestamppb.Timestamp{Seconds: 253402300800}
	for name, c := range map[string]struct {
		role     string
		messages []*eventsv1.ProspectEvent
		kind     fault.Kind
		fields   []string
	}{
		"an editor":    {"editor", []*eventsv1.ProspectEvent{told(1)}, fault.Denied, nil},
		"no message":   {"admin", nil, fault.Invalid, []string{"messages"}},
		"no prospect":  {"admin", []*eventsv1.ProspectEvent{told(1), bad}, fault.Invalid, []string{"messages[1].prospect_id"}},
		"no such year": {"admin", []*eventsv1.ProspectEvent{told(1), late}, fault.Invalid, []string{"messages[1].occur_time"}},
	} {
		_, err := r.restore.RestoreEvents(meshtest.As(t, r.issuer.Token(c.role)), &eventv1.RestoreEventsRequest{Messages: c.messages})
		wantFault(t, name, err, c.kind, c.fields...)
	}
	if found, _, err := r.events.List(t.Context(), event.Filter{}, event.Place{}, 10); err != nil || len(found) > 0 {
		t.Errorf("%v, error %v", found, err)
	}
}
