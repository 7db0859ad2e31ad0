package edge_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"eventprospect/gateway/internal/edge"
	"eventprospect/gateway/internal/problem"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

func TestEachKindOfFaultHasItsStatus(t *testing.T) {
	t.Parallel()
	statuses := map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.NotFound: 404, fault.AlreadyExists: 409, fault.Stale: 412, fault.Precondition: 409,
		fault.Unauthenticated: 401, fault.Denied: 403, fault.Exhausted: 429, fault.Unavailable: 503, fault.Timeout: 504,
		fault.Canceled: 499, fault.Unimplemented: 501,
	}
	for _, kind := range fault.Kinds() {
		err := fault.New(kind, "as it is")
		p := problem.From(err)
		if p.Status != statuses[kind] || p.Title == "" || p.Detail == "" {
			t.Errorf("kind %d: %+v", kind, p)
		}
		for _, detail := range rpc.ToStatus(err).Details() {
			if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() != p.Reason {
				t.Errorf("kind %d: the reason is %s here and %s in gRPC", kind, p.Reason, info.GetReason())
			}
		}
	}
}

func TestFailuresOfTheServiceAreProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const id = "5c6ff2a4-0000-4000-8000-000000000001"
	for name, c := range map[string]struct {
		status             int
		reason, retryAfter string
	}{
		"panic":   {http.StatusInternalServerError, "INTERNAL", ""},
		"defect":  {http.StatusInternalServerError, "INTERNAL", ""},
		"away":    {http.StatusServiceUnavailable, "UNAVAILABLE", "3"},
		"busy":    {http.StatusTooManyRequests, "EXHAUSTED", ""},
		"not now": {http.StatusConflict, "FAILED_PRECONDITION", ""},
	} {
		got := w.do(request{method: "POST", path: "/events/?requestId=" + id, body: `{"name":"` + name + `"}`})
		got.problem(t, c.status, c.reason)
		if got.Header.Get("Retry-After") != c.retryAfter {
			t.Errorf("%s: headers are %v", name, got.Header)
		}
		if strings.Contains(got.body, "node-7") || strings.Contains(got.body, "as asked") {
			t.Errorf("%s: the answer tells too much: %s", name, got.body)
		}
	}
	w.do(request{method: "GET", path: "/v1/prospects"}).problem(t, http.StatusNotImplemented, "UNIMPLEMENTED")
	if n := strings.Count(w.log.String(), "request failed"); n != 2 {
		t.Errorf("%d lines are logged, want one for each defect:\n%s", n, w.log)
	}
	if log := w.log.String(); strings.Contains(log, w.token) || strings.Contains(log, id) || !strings.Contains(log, "route=/events ") {
		t.Errorf("the log tells too much, or too little:\n%s", w.log)
	}
}

func TestARequestTakesNoLongerThanAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *edge.Config) { cfg.Timeout = 500 * time.Millisecond })
	w.do(request{method: "GET", path: "/events/x"}) // connects
	begin := time.Now()
	got := w.do(request{method: "POST", path: "/events", body: `{"name":"slow"}`, header: http.Header{"Grpc-Timeout": {"1H"}}})
	got.problem(t, http.StatusGatewayTimeout, "TIMEOUT")
	if took := time.Since(begin); took < 400*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}

func TestAServiceThatIsAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	closed := meshtest.Listen(t)
	_ = closed.Close()
	w := newWorld(t, func(cfg *edge.Config) {
		cfg.Timeout = 500 * time.Millisecond
		conn, err := rpc.NewClient("passthrough:///"+closed.Addr().String(), cfg.Traces)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		cfg.Event = conn
	})
	got := w.do(request{method: "GET", path: "/events/x"})
	d := got.problem(t, http.StatusServiceUnavailable, "UNAVAILABLE")
	if got.Header.Get("Retry-After") != "1" || strings.Contains(d.Detail, "127.0.0.1") {
		t.Errorf("%s %v", got.body, got.Header)
	}
}

// broken is a verifier with a defect.
type broken struct{}

func (broken) Verify(context.Context, string) (auth.Identity, error) { panic("secret detail") }

func TestAPanicTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *edge.Config) { cfg.Verifier = broken{} })
	got := w.do(request{method: "GET", path: "/events/x"})
	got.problem(t, http.StatusInternalServerError, "INTERNAL")
	if strings.Contains(got.body, "secret detail") || !strings.Contains(w.log.String(), "secret detail") {
		t.Errorf("answer: %s\nlog: %s", got.body, w.log)
	}
}

func TestOnlyTheTokenTheTraceAndTheClientsAddressCross(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	got := w.do(request{method: "GET", path: "/events/Meier", header: http.Header{
		"Traceparent": {"00-" + traceID + "-00f067aa0ba902b7-01"}, "Baggage": {"user=Meier"}, "Te": {"trailers"},
		"Grpc-Metadata-X-User": {"root"}, "Grpc-Metadata-Authorization": {"Bearer x"}, "X-User": {"root"}, "Cookie": {"a=b"},
		"X-Forwarded-For": {"10.0.0.1"}, "X-Forwarded-Host": {"evil"}, "Grpc-Timeout": {"x"}, "X-Roles": {"admin"},
		"User-Authorization": {"Bearer " + w.token}, "Grpc-Metadata-User-Authorization": {"Bearer " + w.token},
		"Grpc-Metadata-X-Forwarded-For": {"10.0.0.1"}, "Forwarded": {"for=10.0.0.1"}, "X-Real-Ip": {"10.0.0.1"},
		"X-User-Id": {"root"}, "X-Remote-User": {"root"}, "Grpc-Trace-Bin": {"AAAA"}, "X-Client-Cert": {"root"},
	}})
	d := got.problem(t, http.StatusNotFound, "NOT_FOUND")
	if d.TraceID != traceID {
		t.Errorf("trace is %s", d.TraceID)
	}
	md, _ := w.events.Seen()
	for key := range md {
		switch key {
		case "authorization", "traceparent", "tracestate", ":authority", "content-type", "user-agent", "grpc-accept-encoding", "x-forwarded-for":
		default:
			t.Errorf("metadata %s: %v crosses", key, md[key])
		}
	}
	if got := md.Get("authorization"); len(got) != 1 || got[0] != "Bearer "+w.token {
		t.Errorf("authorization is %v", got)
	}
	if got := md.Get("x-forwarded-for"); len(got) != 1 || got[0] != "127.0.0.1" {
		t.Errorf("x-forwarded-for is %v, want where the client is", got)
	}
	if got := md.Get("traceparent"); len(got) != 1 || !strings.Contains(got[0], traceID) {
		t.Errorf("traceparent is %v", got)
	}
}

func TestSpansTellTheRouteAndNotThePath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(request{method: "GET", path: "/prospects/filedWork/Secret"})
	w.do(request{method: "GET", path: "/v1/prospects?filedWork=Secret"})
	w.do(request{method: "SECRET", path: "/Secret"})
	names := map[string]bool{}
	for deadline := time.Now().Add(meshtest.Patience); len(names) < 5 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, span := range w.spans.Ended() {
			names[span.Name()] = true
			for _, a := range span.Attributes() {
				if strings.Contains(a.Value.String(), "Secret") || strings.Contains(a.Value.String(), "SECRET") {
					t.Fatalf("span %s tells %s=%s", span.Name(), a.Key, a.Value.String())
				}
			}
		}
	}
	for _, want := range []string{"GET /prospects/filedWork/{filed_work}", "GET /v1/prospects", "_OTHER"} {
		if !names[want] {
			t.Errorf("span %s is missing in %v", want, names)
		}
	}
}

func TestWithoutTracesTheTraceStillCrosses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *edge.Config) {
		traces, err := telemetry.NewTraces("gateway", telemetry.Config{})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Traces = traces
	})
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	w.do(request{method: "GET", path: "/events/x", header: http.Header{"Traceparent": {"00-" + traceID + "-00f067aa0ba902b7-01"}}})
	md, _ := w.events.Seen()
	if got := md.Get("traceparent"); len(got) != 1 || !strings.Contains(got[0], traceID) {
		t.Errorf("traceparent is %v", got)
	}
}
