package api

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/outbox"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/publish"
	"eventprospect/services/prospect/internal/store/sqlite"
)

// running is the API on an empty store, called over a socket. There are the events e and f; asking for "away" gets no answer.
type running struct {
	prospectv1.ProspectServiceClient
	prospectv1.OutboxServiceClient
	issuer *meshtest.Issuer
	store  *sqlite.Store
	room   *outbox.Room
}

// maxWaiting is how many messages may wait in the outbox. Nobody publishes them.
const maxWaiting = 1000

type catalogue struct{}

func (catalogue) Exists(_ context.Context, id string) (bool, error) {
	if id == "away" {
		return false, fault.Away("the Event service", time.Second)
	}
	return id == "e" || id == "f", nil
}

func start(t *testing.T) *running {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "prospect.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{issuer: meshtest.NewIssuer(t), store: store, room: outbox.NewRoom(maxWaiting)}
	prospects := prospect.NewService(store, catalogue{}, publish.Encoder(uuid.NewString, traces), r.room, func() {}, uuid.NewString, time.Now)
	server := newServer(t, r.issuer, traces)
	prospectv1.RegisterProspectServiceServer(server, New(prospects, func(requestID string) string { return "of " + requestID }))
	prospectv1.RegisterOutboxServiceServer(server, NewOutbox(store, r.room.Max()))
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	listener := meshtest.Listen(t)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn := meshtest.Dial(t, listener.Addr().String())
	r.ProspectServiceClient, r.OutboxServiceClient = prospectv1.NewProspectServiceClient(conn), prospectv1.NewOutboxServiceClient(conn)
	return r
}

// newServer makes a server with the project's chain that trusts the issuer.
func newServer(t *testing.T, issuer *meshtest.Issuer, traces *telemetry.Traces) *rpc.Server {
	t.Helper()
	log := telemetry.NewLog(t.Output(), "test", 0)
	verifier, err := auth.NewVerifier(t.Context(), issuer.Config("prospect-service"), log)
	if err != nil {
		t.Fatal(err)
	}
	server, err := rpc.NewServer(verifier, traces, log)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// waiting gives the messages in the outbox.
func (r *running) waiting(t *testing.T) []outbox.Message {
	t.Helper()
	claimed, err := r.store.Claim(t.Context(), "test", 1000, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// create adds prospects with these first names, all in one field of work and met at one event.
func (r *running) create(t *testing.T, names ...string) []*prospectv1.Prospect {
	t.Helper()
	var all []*prospectv1.Prospect
	for _, name := range names {
		all = append(all, r.meet(t, &prospectv1.CreateProspectRequest{
			Prospect: &prospectv1.Prospect{FirstName: name, LastName: "Lovelace", FiledWork: "R&D / IT", IdEvent: "e"},
		}))
	}
	return all
}

func (r *running) meet(t *testing.T, req *prospectv1.CreateProspectRequest) *prospectv1.Prospect {
	t.Helper()
	p, err := r.CreateProspect(meshtest.As(t, r.issuer.Token("editor")), req)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ids(prospects []*prospectv1.Prospect) []string {
	var all []string
	for _, p := range prospects {
		all = append(all, p.GetId())
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
