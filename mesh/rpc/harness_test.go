package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// events is an Event service that answers as a test says.
type events struct {
	eventv1.UnimplementedEventServiceServer
	get    func(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error)
	create func(context.Context, *eventv1.CreateEventRequest) (*eventv1.Event, error)
}

func (e *events) GetEvent(ctx context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
	return e.get(ctx, req)
}

func (e *events) CreateEvent(ctx context.Context, req *eventv1.CreateEventRequest) (*eventv1.Event, error) {
	return e.create(ctx, req)
}

// failing is an Event service that gives every call this error.
func failing(err error) *events {
	return &events{get: func(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error) { return nil, err }}
}

// good is an Event service that knows every event.
func good() *events {
	return &events{get: func(_ context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
		return &eventv1.Event{Id: req.GetId()}, nil
	}}
}

type joinStream = grpc.BidiStreamingServer[registryv1.JoinRequest, registryv1.JoinResponse]

// joins is a registry whose Join does as a test says.
type joins struct {
	registryv1.UnimplementedRegistryServiceServer
	join func(joinStream) error
}

func (j *joins) Join(stream joinStream) error { return j.join(stream) }

// tokens is a verifier: a token is the name of the only role that it gives, and "bad" is a bad one.
type tokens struct{}

func (tokens) Verify(_ context.Context, token string) (auth.Identity, error) {
	if token == "bad" {
		return auth.Identity{}, fault.New(fault.Unauthenticated, "the token is bad")
	}
	return auth.Identity{Subject: "somebody", Roles: []string{token}}, nil
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newServer makes a server that isn't sealed yet, and its log.
func newServer(t testing.TB) (*rpc.Server, *buffer) {
	t.Helper()
	log := &buffer{}
	server, err := rpc.NewServer(tokens{}, traces(t), slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return server, log
}

// serve serves a server for the time of the test and gives its address.
func serve(t testing.TB, server *grpc.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// start serves these services, sealed, and gives the address and the log.
func start(t testing.TB, services ...any) (address string, log *buffer) {
	t.Helper()
	server, log := newServer(t)
	for _, service := range services {
		switch s := service.(type) {
		case *events:
			eventv1.RegisterEventServiceServer(server, s)
		case *joins:
			registryv1.RegisterRegistryServiceServer(server, s)
		}
	}
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	return serve(t, server.Server), log
}

func traces(t testing.TB) *telemetry.Traces {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// dial makes a connection with the project's client chain.
func dial(t testing.TB, address string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := rpc.NewClient("passthrough:///"+address, traces(t), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func eventsAt(t testing.TB, address string, options ...grpc.DialOption) eventv1.EventServiceClient {
	t.Helper()
	return eventv1.NewEventServiceClient(dial(t, address, options...))
}

// as gives the context of a call with these tokens.
func as(t testing.TB, tokens ...string) context.Context {
	ctx := t.Context()
	for _, token := range tokens {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	return ctx
}

var ignoreCause = cmpopts.IgnoreUnexported(fault.Error{})

// checkFault wants this fault, whatever its cause.
func checkFault(t testing.TB, got error, want *fault.Error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(got, &f) {
		t.Fatalf("got %T (%v), want a fault", got, got)
	}
	if diff := cmp.Diff(want, f, ignoreCause); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// checkKind wants a fault of this kind whose message tells none of these.
func checkKind(t testing.TB, got error, want fault.Kind, secrets ...string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(got, &f) || f.Kind != want {
		t.Fatalf("got %v, want a fault of kind %d", got, want)
	}
	for _, secret := range secrets {
		if strings.Contains(f.Message, secret) {
			t.Errorf("the message tells %q: %s", secret, f.Message)
		}
	}
	if f.Message == "" {
		t.Error("the message is empty")
	}
}
