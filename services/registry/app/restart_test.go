package app_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/app"
)

// runOn runs a registry on a port of our choice, which meshtest.Run doesn't offer, and gives what stops it.
func runOn(t *testing.T, cfg app.Config, main net.Listener) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	started, ended, admin := make(chan struct{}), make(chan struct{}), meshtest.Listen(t)
	go func() {
		defer close(ended)
		err := mesh.Run(ctx, "registry", cfg, app.Bind, mesh.WithLog(t.Output()),
			mesh.WithListeners(main, admin), mesh.WithStarted(func() { close(started) }))
		if err != nil {
			t.Errorf("the registry ended with: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	select {
	case <-started:
	case <-ended:
		t.FailNow()
	}
	return stop
}

// A registry that comes back knows nobody yet. Who follows it must not be told that nobody is there: the
// members are kept away here, longer than the resolver needs to connect again, and all the time calls go on.
func TestARestartOfTheRegistryFailsNoCall(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := config(issuer)
	cfg.Grace = meshtest.Patience
	listener := meshtest.Listen(t)
	address := listener.Addr().String()
	stop := runOn(t, cfg, listener)

	members := newGate(t, address)
	server := meshtest.Run(t, "event", meshtest.Config(issuer, members.address, "event"), bare)
	watched := make(chan struct{}, 100)
	client := dialMesh(t, issuer, address, "event", strict, grpc.WithChainStreamInterceptor(
		func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			stream, err := open(ctx, desc, cc, method, opts...)
			if err == nil {
				watched <- struct{}{}
			}
			return stream, err
		}))
	call(t, client, grpc.WaitForReady(true))
	<-watched

	callWhile(t, client, stop)
	members.shut()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	callWhile(t, client, func() { runOn(t, cfg, listener); <-watched })
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		call(t, client)
	}
	members.open()
	r := &running{client: registryv1.NewRegistryServiceClient(meshtest.Dial(t, address)), ctx: meshtest.As(t, issuer.Token("service"))}
	callWhile(t, client, func() { r.wantListedSoon(t, 1) })
	callUntil(t, client, server.Address)
}

// callWhile makes calls, all of which must succeed, until the work is done.
func callWhile(t *testing.T, client healthv1.HealthClient, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	for {
		call(t, client)
		select {
		case <-done:
			return
		default:
		}
	}
}

// gate forwards connections to an address as long as it is open.
type gate struct {
	address string
	mu      sync.Mutex
	closed  bool
	conns   []net.Conn
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	listener := meshtest.Listen(t)
	g := &gate{address: listener.Addr().String()}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); g.shut(); serving.Wait() })
	serving.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil || !g.admit(in, out) {
				_ = in.Close()
				continue
			}
			serving.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
			serving.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
		}
	})
	return g
}

func (g *gate) admit(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns = append(g.conns, conns...)
	if g.closed {
		g.breakAll()
	}
	return !g.closed
}

// shut breaks all connections and lets no new one through.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.breakAll()
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = false
}

func (g *gate) breakAll() {
	for _, c := range g.conns {
		_ = c.Close()
	}
	g.conns = nil
}
