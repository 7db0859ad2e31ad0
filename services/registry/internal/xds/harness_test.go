package xds_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	grpcxds "google.golang.org/grpc/xds"

	"eventprospect/mesh/rpc"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
	"eventprospect/services/registry/internal/xds"
)

// patience bounds every wait of the tests.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if target := os.Getenv(childTarget); target != "" {
		child(target)
		return
	}
	goleak.VerifyTestMain(m)
}

// settings are those of a control plane under test: of the registry's, only what matters here.
type settings struct {
	xds.Config
	grace   time.Duration
	address string // where it serves; empty: a free port
}

func defaults() settings {
	s := settings{Config: xds.Default(), address: "127.0.0.1:0"}
	s.Policy.Outlier.FailurePercent = 0 // the tests of it switch it on
	return s
}

// plane is a registry with its xDS face.
type plane struct {
	t       testing.TB
	core    *registry.Registry
	xds     *xds.Server
	address string
	log     *logs
	opened  atomic.Int32 // streams, ever
	stop    func()
}

func start(t testing.TB, s settings) *plane {
	t.Helper()
	core := registry.New(registry.Settings{Term: time.Minute, MaxInstances: 20_000, MaxSize: 10_000, MaxWatchers: 10},
		memory.New(), registry.Node{Name: "a", Run: "1"})
	p := &plane{t: t, core: core, log: &logs{}}
	p.xds = xds.New(core, s.Config, s.grace, slog.New(slog.NewTextHandler(p.log, nil)))
	server := grpc.NewServer(grpc.StreamInterceptor(p.translate))
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, p.xds)
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{core.Run, p.xds.Run, func(context.Context) error { return server.Serve(listener) }} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("it ended with: %v", err)
			}
		})
	}
	p.stop = sync.OnceFunc(func() {
		core.Stop()
		server.GracefulStop() // which waits for streams: they have to end
		cancel()
		running.Wait()
	})
	t.Cleanup(p.stop)
	return p
}

// translate does what the servers of the project do with errors.
func (p *plane) translate(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	p.opened.Add(1)
	if err := handle(srv, stream); err != nil {
		return rpc.ToStatus(err).Err()
	}
	return nil
}

// logs keeps what was logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// join registers an instance of "event" and gives its session.
func (p *plane) join(i registry.Instance) *registry.Session {
	p.t.Helper()
	session, err := p.core.Open()
	if err != nil {
		p.t.Fatal(err)
	}
	p.put(session, i)
	return session
}

func (p *plane) put(session *registry.Session, i registry.Instance) {
	p.t.Helper()
	if err := session.Put(context.Background(), i); err != nil {
		p.t.Fatal(err)
	}
}

func instance(service, id, address string) registry.Instance {
	return registry.Instance{Key: registry.Key{Service: service, ID: id}, Address: address, Reported: registry.Up}
}

// bootstrap gives what the face serves for a query.
func (p *plane) bootstrap(query string) []byte {
	p.t.Helper()
	request := httptest.NewRequest(http.MethodGet, "http://"+p.address+"/xds/bootstrap.json"+query, nil)
	answer := httptest.NewRecorder()
	p.xds.Bootstrap().ServeHTTP(answer, request)
	if answer.Code != 200 {
		p.t.Fatalf("bootstrap: %d %s", answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// dial gives a gRPC client that knows nothing but the bootstrap; clients of one call share a stream.
func (p *plane) dial(query string, targets ...string) []caller {
	p.t.Helper()
	builder, err := grpcxds.NewXDSResolverWithConfigForTesting(p.bootstrap(query))
	if err != nil {
		p.t.Fatal(err)
	}
	callers := make([]caller, len(targets))
	for i, target := range targets {
		conn, err := grpc.NewClient("xds:///"+target, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithResolvers(builder))
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { _ = conn.Close() })
		callers[i] = caller{p.t, healthv1.NewHealthClient(conn)}
	}
	return callers
}

func (p *plane) event() caller { p.t.Helper(); return p.dial("", "event")[0] }

// until fails the test if a condition doesn't come true.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
