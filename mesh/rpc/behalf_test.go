package rpc_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

// people is a verifier: a token is a name and the roles that go with it, "ada.reader", and "bad" is a bad one.
type people struct{}

func (people) Verify(_ context.Context, token string) (auth.Identity, error) {
	name, roles, ok := strings.Cut(token, ".")
	if !ok {
		return auth.Identity{}, fault.New(fault.Unauthenticated, "the token is bad")
	}
	return auth.Identity{Subject: name, Client: "test", Roles: strings.Split(roles, ".")}, nil
}

// prospectAccount is the account that the test's service calls others under.
const prospectAccount = "prospect.service.reader"

// account makes an account whose issuer gives it this token.
func account(t *testing.T, token string) *auth.Account {
	t.Helper()
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"token_type":"Bearer","access_token":%q,"expires_in":300}`, token)
	}))
	t.Cleanup(issuer.Close)
	return auth.ServiceAccount(auth.Config{TokenURL: issuer.URL, ClientID: "prospect", ClientSecret: "secret"})
}

// startPeople serves these services to people, and gives the address and the log.
func startPeople(t *testing.T, register func(grpc.ServiceRegistrar)) (string, *buffer) {
	t.Helper()
	log := &buffer{}
	server, err := rpc.NewServer(people{}, traces(t), slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	register(server)
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	return serve(t, server.Server), log
}

// serveEvents registers an Event service.
func serveEvents(service *events) func(grpc.ServiceRegistrar) {
	return func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, service) }
}

// twoServices serves two services, of which the first asks the second with these options, once in a unary call and once in a
// stream. It gives a client of the first, and what the second sees of each call.
func twoServices(t *testing.T, options ...grpc.DialOption) (eventv1.EventServiceClient, <-chan auth.Identity) {
	t.Helper()
	seen := make(chan auth.Identity, 2)
	see := func(ctx context.Context) {
		identity, _ := auth.FromContext(ctx)
		seen <- identity
	}
	behind, _ := startPeople(t, func(r grpc.ServiceRegistrar) {
		eventv1.RegisterEventServiceServer(r, &events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
			see(ctx)
			return &eventv1.Event{}, nil
		}})
		registryv1.RegisterRegistryServiceServer(r, &joins{join: func(s joinStream) error { see(s.Context()); return nil }})
	})
	conn := dial(t, behind, options...)
	front, _ := startPeople(t, serveEvents(&events{get: func(ctx context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
		stream, err := registryv1.NewRegistryServiceClient(conn).Join(ctx)
		if err != nil {
			return nil, err
		}
		if _, err := stream.Recv(); err != io.EOF { //nolint:errorlint // io.EOF must be itself
			return nil, err
		}
		return eventv1.NewEventServiceClient(conn).GetEvent(ctx, req)
	}}))
	return eventsAt(t, front), seen
}

// calling gives the context of a caller who says, or doesn't, for whom the call is made.
func calling(t *testing.T, caller string, users ...string) context.Context {
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+caller)
	for _, user := range users {
		ctx = metadata.AppendToOutgoingContext(ctx, auth.UserHeader, user)
	}
	return ctx
}

func TestTheUserIsKnownBehindAService(t *testing.T) {
	t.Parallel()
	client, seen := twoServices(t, rpc.WithAccount(account(t, prospectAccount)))
	ada := &auth.Identity{Subject: "ada", Client: "test", Roles: []string{"reader"}}
	cases := map[string]struct {
		ctx  context.Context
		user *auth.Identity
	}{
		"a user calls":                       {calling(t, "ada.reader"), ada},
		"a service calls for itself":         {calling(t, "relay.service.reader"), nil},
		"a service calls on a user's behalf": {calling(t, "relay.service.reader", "Bearer ada.reader"), ada},
	}
	for name, c := range cases {
		if _, err := client.GetEvent(c.ctx, &eventv1.GetEventRequest{Id: "x"}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := auth.Identity{Subject: "prospect", Client: "test", Roles: []string{"service", "reader"}, User: c.user}
		for _, kind := range []string{"stream", "unary"} {
			if diff := cmp.Diff(want, <-seen); diff != "" {
				t.Errorf("%s, %s: -want +got:\n%s", name, kind, diff)
			}
		}
	}
}

// A connection that leads elsewhere, or is used under the caller's own token, doesn't carry the user's.
func TestOnlyAnAccountSpeaksForAUser(t *testing.T) {
	t.Parallel()
	client, seen := twoServices(t, grpc.WithPerRPCCredentials(plain(prospectAccount)))
	if _, err := client.GetEvent(calling(t, "ada.reader"), &eventv1.GetEventRequest{Id: "x"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := <-seen; got.User != nil {
			t.Errorf("the user %v crosses", got.User)
		}
	}
}

// plain are credentials that are a token.
type plain string

func (p plain) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(p)}, nil
}

func (plain) RequireTransportSecurity() bool { return false }

func TestWhoMayNotSpeakForAUser(t *testing.T) {
	t.Parallel()
	const service = "relay.service.reader"
	cases := map[string]struct {
		caller string
		users  []string
		kind   fault.Kind
	}{
		"a user for himself":            {"ada.reader", []string{"Bearer ada.reader"}, fault.Denied},
		"an admin":                      {"root.reader.admin", []string{"Bearer ada.reader"}, fault.Denied},
		"a user with a bad token":       {"ada.reader", []string{"Bearer bad"}, fault.Denied},
		"a user with an empty header":   {"ada.reader", []string{""}, fault.Denied},
		"a service with a bad token":    {service, []string{"Bearer bad"}, fault.Unauthenticated},
		"a service with an empty one":   {service, []string{""}, fault.Unauthenticated},
		"a service with a bare token":   {service, []string{"ada.reader"}, fault.Unauthenticated},
		"a service with two users":      {service, []string{"Bearer ada.reader", "Bearer eve.reader"}, fault.Unauthenticated},
		"a service with a user's roles": {"relay.service", []string{"Bearer ada.reader"}, fault.Denied},
	}
	address, _ := startPeople(t, serveEvents(&events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
		identity, _ := auth.FromContext(ctx)
		t.Errorf("%v is let in for %v", identity, identity.User)
		return &eventv1.Event{}, nil
	}}))
	client := eventsAt(t, address)
	for name, c := range cases {
		_, err := client.GetEvent(calling(t, c.caller, c.users...), &eventv1.GetEventRequest{Id: "x"})
		if !fault.Is(err, c.kind) {
			t.Errorf("%s: got %v, want a fault of kind %d", name, err, c.kind)
		}
	}
}

// counted is an account that counts how often its token is refused.
type counted struct {
	plain
	refused *atomic.Int32
}

func (c counted) Refused(context.Context, time.Time) bool { c.refused.Add(1); return false }

func TestTheAccountHearsThatItsTokenIsRefused(t *testing.T) {
	t.Parallel()
	address, _ := startPeople(t, func(r grpc.ServiceRegistrar) {
		eventv1.RegisterEventServiceServer(r, good())
		registryv1.RegisterRegistryServiceServer(r, &joins{join: func(joinStream) error { return nil }})
	})
	cases := map[string]struct {
		token string
		want  int32
	}{
		"a bad token":    {"bad", 2},
		"a good one":     {prospectAccount, 0},
		"a missing role": {"prospect.nothing", 0},
	}
	for name, c := range cases {
		account := counted{plain(c.token), &atomic.Int32{}}
		conn := dial(t, address, rpc.WithAccount(account))
		_, _ = eventv1.NewEventServiceClient(conn).GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"})
		stream, err := registryv1.NewRegistryServiceClient(conn).Join(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = stream.Recv()
		if got := account.refused.Load(); got != c.want {
			t.Errorf("%s: heard of %d refusals, want %d", name, got, c.want)
		}
	}
}

// replaced is an account whose first token is bad, and whose second is good.
type replaced struct{ token atomic.Pointer[string] }

func (r *replaced) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + *r.token.Load()}, nil
}

func (*replaced) RequireTransportSecurity() bool { return false }

func (r *replaced) Refused(context.Context, time.Time) bool {
	another := *r.token.Load() == "bad"
	good := "event.reader"
	r.token.Store(&good)
	return another
}

func TestACallIsMadeOnceMoreWithAnotherToken(t *testing.T) {
	t.Parallel()
	address, _ := startPeople(t, func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, good()) })
	bad, account := "bad", &replaced{}
	account.token.Store(&bad)
	client := eventv1.NewEventServiceClient(dial(t, address, rpc.WithAccount(account)))
	if _, err := client.GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"}); err != nil {
		t.Errorf("error %v, want the call to be made with the second token", err)
	}
}
