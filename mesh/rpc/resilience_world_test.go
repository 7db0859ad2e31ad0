package rpc_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/protobuf/types/known/emptypb"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

// first is how long a first attempt may take where that matters.
const first = 500 * time.Millisecond

// fakery is a server that does with each attempt as a test says, and counts them.
type fakery struct {
	eventv1.UnimplementedEventServiceServer
	registryv1.UnimplementedRegistryServiceServer
	attempts atomic.Int32
	do       func(ctx context.Context, attempt int) error
}

func (f *fakery) attempt(ctx context.Context) error { return f.do(ctx, int(f.attempts.Add(1))) }

func (f *fakery) GetEvent(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
	return &eventv1.Event{}, f.attempt(ctx)
}

func (f *fakery) DeleteEvent(ctx context.Context, _ *eventv1.DeleteEventRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, f.attempt(ctx)
}

func (f *fakery) Watch(_ *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	if err := f.attempt(stream.Context()); err != nil {
		return err
	}
	if err := stream.Send(&registryv1.WatchResponse{}); err != nil {
		return err
	}
	return fault.Away("the registry", 0)
}

// wire is a network of which connections can be lost.
type wire struct {
	address string
	mu      sync.Mutex
	last    net.Conn
}

func (w *wire) dial(ctx context.Context, _ string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", w.address)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = conn
	return conn, err
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.last.Close()
}

// world is what one row is played in.
type world struct {
	*fakery
	wire  *wire
	serve func()
	conn  *grpc.ClientConn
}

func newWorld(t *testing.T, c row) *world {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{fakery: &fakery{}, wire: &wire{address: listener.Addr().String()}}
	w.do = func(ctx context.Context, attempt int) error { return c.do(ctx, w, attempt) }
	server, _ := newServer(t)
	eventv1.RegisterEventServiceServer(server, w.fakery)
	registryv1.RegisterRegistryServiceServer(server, w.fakery)
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if !c.away {
		go func() { _ = server.Serve(listener) }()
	} else {
		_ = listener.Close()
		w.serve = func() {
			if again, err := net.Listen("tcp", w.wire.address); err == nil {
				_ = server.Serve(again)
			}
		}
	}
	options := append(withCalls(func(*rpc.Calls) {}), grpc.WithContextDialer(w.wire.dial))
	w.conn = dial(t, "server", append(options, c.options...)...)
	if !c.away {
		await(t, w.conn)
	}
	return w
}

// await waits until there is a connection.
func await(t *testing.T, conn *grpc.ClientConn) {
	t.Helper()
	for conn.Connect(); ; {
		state := conn.GetState()
		if state == connectivity.Ready {
			return
		}
		conn.WaitForStateChange(t.Context(), state)
	}
}

// kindName gives the kind of a fault as the contract of errors writes it.
func kindName(t *testing.T, err error) string {
	t.Helper()
	names := map[fault.Kind]string{
		fault.Unavailable: "Unavailable", fault.Timeout: "Timeout", fault.Canceled: "Canceled", fault.NotFound: "NotFound",
	}
	for kind, name := range names {
		if fault.Is(err, kind) {
			return name
		}
	}
	if err == nil {
		return "OK"
	}
	t.Errorf("error %v", err)
	return "?"
}
