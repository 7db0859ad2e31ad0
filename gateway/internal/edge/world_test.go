package edge_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/grpc"

	"eventprospect/gateway/internal/edge"
	"eventprospect/gateway/internal/edgetest"
	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

const maxBody = 1 << 16

// world is an edge with real services behind it.
type world struct {
	t      testing.TB
	URL    string
	issuer *meshtest.Issuer
	events *edgetest.Events
	spans  *tracetest.SpanRecorder
	log    *lockedBuffer
	token  string
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t testing.TB, change ...func(*edge.Config)) *world {
	t.Helper()
	w := &world{
		t: t, issuer: meshtest.NewIssuer(t), spans: tracetest.NewSpanRecorder(), log: &lockedBuffer{},
		events: &edgetest.Events{Failures: map[string]error{
			"panic": nil, "defect": errors.New("disk of node-7 is full"), "away": fault.Away("the database", 2500*time.Millisecond),
			"slow": edgetest.ErrSlow, "busy": fault.New(fault.Exhausted, "too many"), "not now": fault.New(fault.Precondition, "the event is over"),
		}},
	}
	w.token = w.issuer.Token("reader", "editor", "admin")
	log := slog.New(slog.NewTextHandler(w.log, nil))
	traces, err := telemetry.NewTraces("gateway", telemetry.Config{SampleRatio: 1}, sdktrace.SpanProcessor(w.spans))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(t.Context(), w.issuer.Config("gateway-service"), log)
	if err != nil {
		t.Fatal(err)
	}
	cfg := edge.Config{
		MaxBody: maxBody, Timeout: meshtest.Patience, Verifier: verifier, Traces: traces, Log: log,
		Event:    w.serve(traces, func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, w.events) }),
		Prospect: w.serve(traces, func(r grpc.ServiceRegistrar) { prospectv1.RegisterProspectServiceServer(r, edgetest.Prospects{}) }),
		Registry: w.serve(traces, func(r grpc.ServiceRegistrar) {
			registryv1.RegisterRegistryServiceServer(r, edgetest.NewRegistry())
		}),
	}
	for _, f := range change {
		f(&cfg)
	}
	handler, err := edge.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// serve runs a service and connects to it.
func (w *world) serve(traces *telemetry.Traces, register func(grpc.ServiceRegistrar)) *grpc.ClientConn {
	w.t.Helper()
	p := meshtest.Run(w.t, "service", meshtest.Config(w.issuer, "", "service"),
		func(_ context.Context, app *mesh.App, _ mesh.Config) error { return app.ServeGRPC(register) })
	return w.connect(traces, p.Address)
}

func (w *world) connect(traces *telemetry.Traces, address string) *grpc.ClientConn {
	w.t.Helper()
	conn, err := rpc.NewClient("passthrough:///"+address, traces)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// in gives the same world to another test, as each input of a fuzz test is one.
func (w *world) in(t testing.TB) *world {
	same := *w
	same.t = t
	return &same
}

// request is one HTTP request of a test.
type request struct {
	method, path, body string
	header             http.Header // added to the token and JSON; an empty list takes one away
}

// reply is the answer to it.
type reply struct {
	*http.Response
	body string
}

func (w *world) do(r request) reply {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), r.method, w.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp, string(body)}
}

// raw sends bytes as they are, for what Go's client would mend, and gives the answer.
func (w *world) raw(text string) reply {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.URL, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp, string(body)}
}

// doc is a problem as a client reads it.
type doc struct {
	Type, Title, Detail, Reason, TraceID string
	Status                               int
	Roles                                []string
	Errors                               []struct{ Field, Detail string }
}

// problem checks that a reply is a problem, and gives it.
func (r reply) problem(t *testing.T, status int, reason string) doc {
	t.Helper()
	var d doc
	if err := json.Unmarshal([]byte(r.body), &d); err != nil {
		t.Fatalf("status %d, body is no problem: %v\n%s", r.StatusCode, err, r.body)
	}
	if r.StatusCode != status || d.Status != status || d.Reason != reason {
		t.Fatalf("got status %d, want %d %s\n%s", r.StatusCode, status, reason, r.body)
	}
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %q", got)
	}
	if d.Type != "about:blank" || d.Title == "" || d.Detail == "" || len(d.TraceID) != 32 {
		t.Errorf("incomplete problem: %s", r.body)
	}
	r.common(t)
	return d
}

// common checks what holds for every answer.
func (r reply) common(t *testing.T) {
	t.Helper()
	if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers are missing: %v", r.Header)
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "Grpc-") {
			t.Errorf("header %s leaks", name)
		}
	}
}

// decode reads the JSON of a good answer.
func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	r.common(t)
	if r.StatusCode >= 300 || r.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, Content-Type %q: %s", r.StatusCode, r.Header.Get("Content-Type"), r.body)
	}
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// fields gives what is said of each field: "name: must be a string".
func (d doc) fields() string {
	all := make([]string, len(d.Errors))
	for i, e := range d.Errors {
		all[i] = e.Field + ": " + e.Detail
	}
	return strings.Join(all, "; ")
}
