package api

import (
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/services/event/internal/event"
)

var kinds = []event.Kind{event.Planned, event.ProspectCreated, event.ProspectUpdated, event.ProspectDeleted}

func TestEncode(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)
	full := event.Event{
		ID: "id", Name: "n", Date: "2026-11-23", Kind: event.ProspectUpdated, ProspectID: "p",
		Created: at, Updated: at.Add(time.Second), Version: 2,
	}
	got := encode(full)
	want := &eventv1.Event{
		Id: "id", Name: "n", DateEvent: "2026-11-23", Kind: eventv1.Event_PROSPECT_UPDATED, ProspectId: "p",
		CreateTime: timestamppb.New(at), UpdateTime: timestamppb.New(at.Add(time.Second)), Etag: full.ETag(),
	}
	if !proto.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	fields := got.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); !got.ProtoReflect().Has(field) {
			t.Errorf("%s is not set", field.Name())
		}
	}
}

func TestKindsAreInStep(t *testing.T) {
	t.Parallel()
	seen := map[eventv1.Event_Kind]bool{}
	for _, kind := range kinds {
		there := encode(event.Event{Kind: kind}).GetKind()
		if back := decodeKind(there); back != kind {
			t.Errorf("%s became %v, and that %q", kind, there, back)
		}
		seen[there] = true
	}
	for number, name := range eventv1.Event_Kind_name {
		if number != 0 && !seen[eventv1.Event_Kind(number)] {
			t.Errorf("the domain has no kind %s", name)
		}
	}
	if kind := decodeKind(eventv1.Event_KIND_UNSPECIFIED); kind != "" {
		t.Errorf("unspecified became %q, want any", kind)
	}
}
