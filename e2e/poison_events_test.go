package e2e_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"

	"eventprospect/e2e/client"
)

// eventKinds says what a message's kind is called as an event's.
var eventKinds = map[eventsv1.ProspectEvent_Kind]eventv1.Event_Kind{
	eventsv1.ProspectEvent_CREATED: eventv1.Event_PROSPECT_CREATED,
	eventsv1.ProspectEvent_UPDATED: eventv1.Event_PROSPECT_UPDATED,
	eventsv1.ProspectEvent_DELETED: eventv1.Event_PROSPECT_DELETED,
}

// fact is what an event tells, of which there is one for each change.
type fact struct {
	prospect, day string
	kind          eventv1.Event_Kind
}

func (c *change) fact() fact {
	return fact{c.message.GetProspectId(), c.day(), eventKinds[c.message.GetKind()]}
}

// events gives all events.
func (w *world) events(t *testing.T) []*eventv1.Event {
	t.Helper()
	ctx, err := w.As(t.Context(), client.Reader)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := w.Conn("event.v1")
	if err != nil {
		t.Fatal(err)
	}
	var all []*eventv1.Event
	for token := ""; ; {
		answer, err := eventv1.NewEventServiceClient(conn).ListEvents(ctx, &eventv1.ListEventsRequest{PageSize: 100, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, answer.GetEvents()...)
		if token = answer.GetNextPageToken(); token == "" {
			return all
		}
	}
}

// mustHaveApplied checks that each of the changes has become exactly one event, and that there are no others.
func (w *world) mustHaveApplied(t *testing.T, want []*change) []*eventv1.Event {
	t.Helper()
	missing := make(map[fact]int, len(want))
	for _, c := range want {
		missing[c.fact()]++
	}
	all := w.events(t)
	for _, e := range all {
		f := fact{e.GetProspectId(), e.GetDateEvent(), e.GetKind()}
		if missing[f]--; missing[f] < 0 {
			t.Errorf("%v should not be there, or not again", f)
		}
	}
	if len(all) != len(want) {
		t.Fatalf("%d events, want %d", len(all), len(want))
	}
	return all
}

// mustBeInOrder checks that the changes of each prospect became events one after the other, as they were published.
func mustBeInOrder(t *testing.T, all []*eventv1.Event) {
	t.Helper()
	slices.SortFunc(all, func(a, b *eventv1.Event) int {
		return cmp.Or(strings.Compare(a.GetProspectId(), b.GetProspectId()), strings.Compare(a.GetDateEvent(), b.GetDateEvent()))
	})
	for i, e := range all[1:] {
		before := all[i]
		if before.GetProspectId() == e.GetProspectId() && !before.GetCreateTime().AsTime().Before(e.GetCreateTime().AsTime()) {
			t.Errorf("%s: the change of %s was applied after that of %s, or with it", e.GetProspectId(), before.GetDateEvent(), e.GetDateEvent())
		}
	}
}

// deleteEvents deletes events, as a person does by mistake.
func (w *world) deleteEvents(t *testing.T, some []*eventv1.Event) {
	t.Helper()
	ctx, err := w.As(t.Context(), client.Editor)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := w.Conn("event.v1")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range some {
		if _, err := eventv1.NewEventServiceClient(conn).DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: e.GetId()}); err != nil {
			t.Fatal(err)
		}
	}
}
