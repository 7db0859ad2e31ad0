package api

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/sqlite"
)

// running is the API on an empty store, called over a socket.
type running struct {
	eventv1.EventServiceClient
	restore eventv1.RestoreServiceClient
	issuer  *meshtest.Issuer
	events  *event.Service
}

func start(t *testing.T) *running {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "event.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r := &running{issuer: meshtest.NewIssuer(t), events: event.NewService(store, uuid.NewString, time.Now)}
	idOf := func(requestID string) string { return "of " + requestID }
	server := newServer(t, r.issuer)
	eventv1.RegisterEventServiceServer(server, New(r.events, idOf))
	messages, err := consumer.New(r.events)
	if err != nil {
		t.Fatal(err)
	}
	eventv1.RegisterRestoreServiceServer(server, NewRestorer(r.events, messages.Occurrence))
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	listener := meshtest.Listen(t)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn := meshtest.Dial(t, listener.Addr().String())
	r.EventServiceClient, r.restore = eventv1.NewEventServiceClient(conn), eventv1.NewRestoreServiceClient(conn)
	return r
}

// newServer makes a server with the project's chain that trusts the issuer.
func newServer(t *testing.T, issuer *meshtest.Issuer) *rpc.Server {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := telemetry.NewLog(t.Output(), "test", 0)
	verifier, err := auth.NewVerifier(t.Context(), issuer.Config("event-service"), log)
	if err != nil {
		t.Fatal(err)
	}
	server, err := rpc.NewServer(verifier, traces, log)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// create plans events, on the same day.
func (r *running) create(t *testing.T, names ...string) []*eventv1.Event {
	t.Helper()
	var all []*eventv1.Event
	for _, name := range names {
		all = append(all, r.plan(t, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: name, DateEvent: "2026-11-23"}}))
	}
	return all
}

func (r *running) plan(t *testing.T, req *eventv1.CreateEventRequest) *eventv1.Event {
	t.Helper()
	e, err := r.CreateEvent(meshtest.As(t, r.issuer.Token("editor")), req)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// record has events created that tell of a prospect.
func (r *running) record(t *testing.T, prospect string, kinds ...event.Kind) {
	t.Helper()
	for i, kind := range kinds {
		id := fmt.Sprint(prospect, i)
		o := event.Occurrence{MessageID: id, EventID: id, Kind: kind, ProspectID: prospect, Time: time.Now()}
		if _, err := r.events.Record(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}

func ids(events []*eventv1.Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.GetId())
	}
	return all
}

// wantFault checks an error's kind and the fields that it refuses.
func wantFault(t *testing.T, what string, err error, kind fault.Kind, fields ...string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("%s: error %v, want a fault of kind %v", what, err, kind)
		return
	}
	var refused []string
	for _, v := range f.Violations {
		refused = append(refused, v.Field)
	}
	if !slices.Equal(refused, fields) {
		t.Errorf("%s: refused %v, want %v", what, refused, fields)
	}
}
