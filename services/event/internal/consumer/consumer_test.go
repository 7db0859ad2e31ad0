package consumer_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/stream"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/sqlite"
)

var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// newHandler makes a handler, and the service to look at what it did.
func newHandler(t *testing.T) (*consumer.Handler, *event.Service) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "event.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	events := event.NewService(store, uuid.NewString, func() time.Time { return now })
	handler, err := consumer.New(events)
	if err != nil {
		t.Fatal(err)
	}
	return handler, events
}

// good makes a message as the Prospect service sends it.
func good(kind eventsv1.ProspectEvent_Kind) *eventsv1.ProspectEvent {
	return &eventsv1.ProspectEvent{
		Id: "0195f0c8-1111-7000-8000-000000000001", Kind: kind, ProspectId: "0195f0c8-2222-7000-8000-000000000002", Version: 1,
		ChangedFields: []string{"first_name", "filed_work"}, FiledWork: "IT", IdEvent: "0195f0c8-3333-7000-8000-000000000003",
		OccurTime: timestamppb.New(time.Date(2026, 11, 23, 23, 59, 59, 999999000, time.UTC)),
	}
}

func encode(t testing.TB, message *eventsv1.ProspectEvent) []byte {
	t.Helper()
	value, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// handle handles one record.
func handle(t *testing.T, handler *consumer.Handler, record *kgo.Record) error {
	t.Helper()
	return handler.Handle(t.Context(), []*kgo.Record{record})[0]
}

func list(t *testing.T, events *event.Service) []event.Event {
	t.Helper()
	found, _, err := events.List(t.Context(), event.Filter{}, event.Place{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestMessagesBecomeEvents(t *testing.T) {
	t.Parallel()
	cases := map[eventsv1.ProspectEvent_Kind]struct {
		kind event.Kind
		name string
	}{
		eventsv1.ProspectEvent_CREATED: {event.ProspectCreated, "Prospect created"},
		eventsv1.ProspectEvent_UPDATED: {event.ProspectUpdated, "Prospect updated"},
		eventsv1.ProspectEvent_DELETED: {event.ProspectDeleted, "Prospect deleted"},
	}
	for kind, c := range cases {
		handler, events := newHandler(t)
		value := encode(t, good(kind))
		for range 3 { // it may come again
			if err := handle(t, handler, &kgo.Record{Value: value}); err != nil {
				t.Fatal(err)
			}
		}
		want := []event.Event{{
			ID: "9fd84edb-5842-549f-9a5e-357a3b3acfb1", Name: c.name, Date: "2026-11-23", Kind: c.kind,
			ProspectID: "0195f0c8-2222-7000-8000-000000000002", Created: now, Updated: now, Version: 1,
		}}
		if diff := cmp.Diff(want, list(t, events)); diff != "" {
			t.Errorf("%v: %s", kind, diff)
		}
	}
	// A kind that is new to the contract must be given a meaning here, too.
	if known := len(eventsv1.ProspectEvent_Kind_name) - 1; known != len(cases) {
		t.Errorf("the contract has %d kinds, this test %d", known, len(cases))
	}
}

func TestUnknownFieldsAreTolerated(t *testing.T) {
	t.Parallel()
	handler, events := newHandler(t)
	value := protowire.AppendTag(encode(t, good(eventsv1.ProspectEvent_CREATED)), 200, protowire.BytesType)
	value = protowire.AppendString(value, "of a newer publisher")
	if err := handle(t, handler, &kgo.Record{Value: value}); err != nil {
		t.Fatal(err)
	}
	if found := list(t, events); len(found) != 1 {
		t.Errorf("%d events", len(found))
	}
}

func TestANewerKindIsKept(t *testing.T) {
	t.Parallel()
	handler, events := newHandler(t)
	err := handle(t, handler, &kgo.Record{Value: encode(t, good(99))})
	if !fault.Is(err, fault.Invalid) || !errors.Is(err, stream.ErrNewer) || !strings.Contains(err.Error(), "99") {
		t.Errorf("error %v, want one that puts it on the DLQ as newer", err)
	}
	if found := list(t, events); len(found) != 0 {
		t.Errorf("it became %v", found)
	}
}

func TestBadMessagesAreInvalid(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*eventsv1.ProspectEvent){
		"no id":             func(m *eventsv1.ProspectEvent) { m.Id = "" },
		"an id that's none": func(m *eventsv1.ProspectEvent) { m.Id = "42" },
		"no kind":           func(m *eventsv1.ProspectEvent) { m.Kind = 0 },
		"no prospect":       func(m *eventsv1.ProspectEvent) { m.ProspectId = "" },
		"no version":        func(m *eventsv1.ProspectEvent) { m.Version = 0 },
		"no time":           func(m *eventsv1.ProspectEvent) { m.OccurTime = nil },
		"year 10000":        func(m *eventsv1.ProspectEvent) { m.OccurTime = &timestamppb.Timestamp{Seconds: 253402300800} },
		"no such time":      func(m *eventsv1.ProspectEvent) { m.OccurTime = &timestamppb.Timestamp{Seconds: 1 << 62} },
		"negative nanos":    func(m *eventsv1.ProspectEvent) { m.OccurTime = &timestamppb.Timestamp{Nanos: -1} },
		"nothing":           func(m *eventsv1.ProspectEvent) { proto.Reset(m) },
	}
	values := map[string][]byte{"undecodable": {0xff, 0xff}, "text": []byte("hello"), "cut": encode(t, good(1))[:10], "not UTF-8": {0x0a, 1, 0xff}}
	for name, spoil := range cases {
		message := good(eventsv1.ProspectEvent_CREATED)
		spoil(message)
		values[name] = encode(t, message)
	}
	handler, events := newHandler(t)
	for name, value := range values {
		if err := handle(t, handler, &kgo.Record{Value: value}); !fault.Is(err, fault.Invalid) || errors.Is(err, stream.ErrNewer) {
			t.Errorf("%s: error %v, want Invalid", name, err)
		}
	}
	if found := list(t, events); len(found) != 0 {
		t.Errorf("they became %v", found)
	}
}

// TestFaultsOfTheStorePass shows that what isn't the record's fault is not taken for it.
func TestFaultsOfTheStorePass(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "event.db"))
	if err != nil {
		t.Fatal(err)
	}
	handler, err := consumer.New(event.NewService(store, uuid.NewString, time.Now))
	if err != nil || store.Close() != nil {
		t.Fatal(err)
	}
	err = handle(t, handler, &kgo.Record{Value: encode(t, good(eventsv1.ProspectEvent_CREATED))})
	if err == nil || fault.Is(err, fault.Invalid) {
		t.Errorf("error %v, want one that is tried again", err)
	}
}
