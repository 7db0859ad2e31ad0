package discovery_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/telemetry"

	"eventprospect/mesh/discovery"
	"eventprospect/mesh/rpc"
)

// What needs the real registry is tested there, in services/registry/app.

// fake is a registry that says what a test says, and notes what it is told.
type fake struct {
	registryv1.UnimplementedRegistryServiceServer
	server    *grpc.Server
	address   string
	resumed   chan int64                     // the revision of each Watch
	answers   chan *registryv1.WatchResponse // for the watch that is open
	instances chan *registryv1.Instance      // who joins
	term      time.Duration
	hangs     chan struct{} // closed when heartbeats get no answer any more
}

func serveFake(t *testing.T) *fake {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{
		server: grpc.NewServer(), address: listener.Addr().String(), resumed: make(chan int64, 100),
		answers: make(chan *registryv1.WatchResponse), instances: make(chan *registryv1.Instance, 100),
		term: time.Minute, hangs: make(chan struct{}),
	}
	registryv1.RegisterRegistryServiceServer(f.server, f)
	var serving sync.WaitGroup
	serving.Go(func() { _ = f.server.Serve(listener) })
	t.Cleanup(func() { f.server.Stop(); serving.Wait() })
	return f
}

func (f *fake) Watch(req *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	f.resumed <- req.GetRevision()
	for {
		select {
		case answer := <-f.answers:
			if answer == nil {
				return nil // the stream breaks
			}
			if err := stream.Send(answer); err != nil {
				return err
			}
		case <-stream.Context().Done():
			return nil
		}
	}
}

func (f *fake) Join(stream registryv1.RegistryService_JoinServer) error {
	for {
		req, err := stream.Recv()
		if err != nil {
			return err
		}
		select {
		case <-f.hangs:
			<-stream.Context().Done()
			return stream.Context().Err()
		default:
		}
		if req.GetInstance() != nil {
			f.instances <- req.GetInstance()
		}
		if err := stream.Send(&registryv1.JoinResponse{Term: durationpb.New(f.term)}); err != nil {
			return err
		}
	}
}

// connect makes a client of the registries at these addresses.
func connect(t *testing.T, addresses string) registryv1.RegistryServiceClient {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	target, found, err := discovery.Registries(addresses)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := rpc.NewClient(target, traces, found)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return registryv1.NewRegistryServiceClient(conn)
}

// next waits for what comes next.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case got := <-from:
		return got
	case <-ctx.Done():
		t.Fatal("nothing came")
	}
	panic("unreachable")
}
