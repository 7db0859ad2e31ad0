package api

import (
	"context"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

func TestUpdateMask(t *testing.T) {
	t.Parallel()
	r := start(t)
	cases := map[string]struct {
		paths      []string
		event      *eventv1.Event
		name, date string
	}{
		"no mask":           {nil, &eventv1.Event{Name: "new"}, "new", "2026-11-23"},
		"no mask, both":     {nil, &eventv1.Event{Name: "new", DateEvent: "2027-01-01"}, "new", "2027-01-01"},
		"no mask, nothing":  {nil, &eventv1.Event{}, "old", "2026-11-23"},
		"everything":        {[]string{"*"}, &eventv1.Event{Name: "new"}, "new", ""},
		"one":               {[]string{"name"}, &eventv1.Event{Name: "new", DateEvent: "2027-01-01"}, "new", "2026-11-23"},
		"cleared":           {[]string{"date_event"}, &eventv1.Event{Name: "new"}, "old", ""},
		"as in JSON":        {[]string{"dateEvent"}, &eventv1.Event{DateEvent: "2027-01-01"}, "old", "2027-01-01"},
		"only the server's": {[]string{"id", "kind", "prospect_id", "create_time", "update_time", "etag"}, &eventv1.Event{Name: "new", Kind: 3, ProspectId: "p"}, "old", "2026-11-23"},
		"what was read":     {[]string{"id", "name", "kind"}, &eventv1.Event{Name: "new", Kind: 3}, "new", "2026-11-23"},
	}
	for name, c := range cases {
		before := r.create(t, "old")[0]
		c.event.Id = before.GetId()
		got, err := r.UpdateEvent(meshtest.As(t, r.issuer.Token("editor")), &eventv1.UpdateEventRequest{
			Event: c.event, UpdateMask: &fieldmaskpb.FieldMask{Paths: c.paths},
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := proto.CloneOf(before)
		want.Name, want.DateEvent = c.name, c.date
		if c.name != "old" || c.date != "2026-11-23" {
			want.UpdateTime, want.Etag = got.GetUpdateTime(), got.GetEtag()
			if got.GetEtag() == before.GetEtag() || !got.GetUpdateTime().AsTime().After(before.GetUpdateTime().AsTime()) {
				t.Errorf("%s: the etag or the time is still that of the state before", name)
			}
		}
		if !proto.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestUpdateRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	id := r.create(t, "old")[0].GetId()
	cases := map[string]struct {
		event  *eventv1.Event
		paths  []string
		fields []string
	}{
		"no event":     {nil, nil, []string{"event"}},
		"no id":        {&eventv1.Event{Name: "n"}, nil, []string{"event"}},
		"unknown path": {&eventv1.Event{Id: id, Name: "n"}, []string{"name", "nome"}, []string{"update_mask"}},
		"nested path":  {&eventv1.Event{Id: id, Name: "n"}, []string{"event.name"}, []string{"update_mask"}},
		"name cleared": {&eventv1.Event{Id: id}, []string{"name"}, []string{"event.name"}},
		"everything":   {&eventv1.Event{Id: id}, []string{"*"}, []string{"event.name"}},
		"no such day":  {&eventv1.Event{Id: id, DateEvent: "2026-02-30"}, nil, []string{"event.date_event"}},
	}
	for name, c := range cases {
		_, err := r.UpdateEvent(meshtest.As(t, r.issuer.Token("editor")), &eventv1.UpdateEventRequest{
			Event: c.event, UpdateMask: &fieldmaskpb.FieldMask{Paths: c.paths},
		})
		wantFault(t, name, err, fault.Invalid, c.fields...)
	}
	_, err := r.UpdateEvent(meshtest.As(t, r.issuer.Token("editor")), &eventv1.UpdateEventRequest{Event: &eventv1.Event{Id: "none", Name: "n"}})
	wantFault(t, "unknown id", err, fault.NotFound)
}

func TestETags(t *testing.T) {
	t.Parallel()
	r := start(t)
	old := r.create(t, "old")[0]
	ctx := meshtest.As(t, r.issuer.Token("editor"))
	update := func(etag string) (*eventv1.Event, error) {
		return r.UpdateEvent(ctx, &eventv1.UpdateEventRequest{Event: &eventv1.Event{Id: old.GetId(), Name: "new " + etag, Etag: etag}})
	}
	changed, err := update(old.GetEtag())
	if err != nil {
		t.Fatal(err)
	}
	_, err = update(old.GetEtag())
	wantFault(t, "update", err, fault.Stale)
	_, err = r.DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: old.GetId(), Etag: old.GetEtag()})
	wantFault(t, "delete", err, fault.Stale)
	if _, err = r.DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: old.GetId(), Etag: changed.GetEtag()}); err != nil {
		t.Error(err)
	}
	_, err = r.DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: old.GetId()})
	wantFault(t, "delete twice", err, fault.NotFound)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	r := start(t)
	event := &eventv1.Event{Id: "none", Name: "n"}
	reads := map[string]func(context.Context) error{
		"get": func(ctx context.Context) error {
			_, err := r.GetEvent(ctx, &eventv1.GetEventRequest{Id: "none"})
			return err
		},
		"batch": func(ctx context.Context) error {
			_, err := r.BatchGetEvents(ctx, &eventv1.BatchGetEventsRequest{Ids: []string{"none"}})
			return err
		},
		"list": func(ctx context.Context) error { _, err := r.ListEvents(ctx, &eventv1.ListEventsRequest{}); return err },
		"page": func(ctx context.Context) error { _, err := r.PageEvents(ctx, &eventv1.PageEventsRequest{}); return err },
		"find": func(ctx context.Context) error {
			_, err := r.FindEventByDate(ctx, &eventv1.FindEventByDateRequest{DateEvent: "2026-11-23"})
			return err
		},
	}
	writes := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := r.CreateEvent(ctx, &eventv1.CreateEventRequest{Event: event})
			return err
		},
		"update": func(ctx context.Context) error {
			_, err := r.UpdateEvent(ctx, &eventv1.UpdateEventRequest{Event: event})
			return err
		},
		"delete": func(ctx context.Context) error {
			_, err := r.DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: "none"})
			return err
		},
	}
	wantRole(t, r.issuer, reads, "reader", "service")
	wantRole(t, r.issuer, writes, "editor", "reader")
}

// wantRole checks that calls are refused without a token and with another role, and get through with the one they need.
func wantRole(t *testing.T, issuer *meshtest.Issuer, calls map[string]func(context.Context) error, role, other string) {
	t.Helper()
	for name, call := range calls {
		wantFault(t, name+" without a token", call(metadata.NewOutgoingContext(t.Context(), nil)), fault.Unauthenticated)
		wantFault(t, name+" as "+other, call(meshtest.As(t, issuer.Token(other))), fault.Denied)
		if err := call(meshtest.As(t, issuer.Token(role))); err != nil && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s as %s: %v", name, role, err)
		}
	}
}
