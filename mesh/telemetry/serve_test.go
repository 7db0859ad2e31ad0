package telemetry_test

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// events is an Event service that gives the traceparent of each call as the event's name.
type events struct {
	eventv1.UnimplementedEventServiceServer
	traces *telemetry.Traces
}

func (e *events) GetEvent(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
	return &eventv1.Event{Name: e.traces.Traceparent(ctx)}, nil
}

type everybody struct{}

func (everybody) Verify(context.Context, string) (auth.Identity, error) {
	return auth.Identity{Roles: []string{"reader"}}, nil
}

func (everybody) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer x"}, nil
}

func (everybody) RequireTransportSecurity() bool { return false }

// serve serves health and an Event service for the time of the test, and connects to it.
func serve(t *testing.T, client, server *telemetry.Traces) *grpc.ClientConn {
	t.Helper()
	s, err := rpc.NewServer(everybody{}, server, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	eventv1.RegisterEventServiceServer(s, &events{traces: server})
	healthv1.RegisterHealthServer(s, health.NewServer())
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.Stop)
	conn, err := rpc.NewClient("passthrough:///"+listener.Addr().String(), client, grpc.WithPerRPCCredentials(everybody{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
