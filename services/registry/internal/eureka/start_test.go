package eureka

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func settings() registry.Settings {
	return registry.Settings{Term: 10 * time.Second, MaxInstances: 20_000, MaxSize: 16 << 10, MaxWatchers: 100}
}

// startCore gives a running registry that knows what its store holds.
func startCore(t testing.TB, s registry.Settings, store registry.Store, name string) *registry.Registry {
	t.Helper()
	core := registry.New(s, store, registry.Node{Name: name, Run: "1"})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- core.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if err := core.Loaded(ctx); err != nil {
		t.Fatal(err)
	}
	return core
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// server is a face with a registry of its own.
type server struct {
	http.Handler
	core  *registry.Registry
	clock *clock
}

func start(t testing.TB) *server { return startWith(t, settings(), Default()) }

func startWith(t testing.TB, s registry.Settings, cfg Config) *server {
	t.Helper()
	return faceOf(startCore(t, s, memory.New(), "a"), cfg)
}

func faceOf(core *registry.Registry, cfg Config) *server {
	c := &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return &server{newFace(core, cfg, slog.New(slog.DiscardHandler), c.time).handler(), core, c}
}

// do makes a call; headers are given as "Name: value".
func (s *server) do(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request(method, path, body, headers))
	return w
}

func request(method, path, body string, headers []string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// must makes a call that has to have a status, and gives its body.
func (s *server) must(t testing.TB, status int, method, path, body string, headers ...string) string {
	t.Helper()
	w := s.do(method, path, body, headers...)
	if w.Code != status {
		t.Fatalf("%s %s answered %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return w.Body.String()
}

const (
	inJSON     = "Accept: application/json"
	bodyJSON   = "Content-Type: application/json"
	bodyXML    = "Content-Type: application/xml"
	replicated = "x-netflix-discovery-replication: true"
)

// body is a registration as short as it can be.
func body(app, id, status string, dirty string) string {
	return `{"instance":{"app":"` + app + `","instanceId":"` + id + `","hostName":"h","ipAddr":"10.0.0.1","status":"` + status +
		`","port":{"$":80,"@enabled":"true"},"vipAddress":"` + strings.ToLower(app) + `","secureVipAddress":"s-` + strings.ToLower(app) +
		`","dataCenterInfo":{"name":"MyOwn"},"lastDirtyTimestamp":"` + dirty + `"}}`
}

// register registers such an instance.
func (s *server) register(t testing.TB, app, id, status string) {
	t.Helper()
	s.must(t, http.StatusNoContent, http.MethodPost, "/eureka/apps/"+app, body(app, id, status, "1700000000000"), bodyJSON)
}

// joined gives an instance that joined natively, while its session is open.
func (s *server) joined(t testing.TB, i registry.Instance) {
	t.Helper()
	session, err := s.core.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	if err := session.Put(context.Background(), i); err != nil {
		t.Fatal(err)
	}
}

func nativeEvent() registry.Instance {
	return registry.Instance{
		Key: registry.Key{Service: "event", ID: "event-1"}, Address: "10.0.0.7:8080", Reported: registry.Up, Zone: "south",
		Metadata: map[string]string{"version": "1.2"},
	}
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("%s\ngot  %s\nwant %s", path, got, want)
	}
}

func readAllOf(t testing.TB, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
