package telemetry_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	traceID     = "0af7651916cd43dd8448eb211c80319c"
	traceparent = "00-" + traceID + "-b7ad6b7169203331-01"
)

func newTraces(t *testing.T, processors ...trace.SpanProcessor) *telemetry.Traces {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{SampleRatio: 1}, processors...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = traces.Stop(context.Background()) })
	return traces
}

// call calls an Event service over the network and gives the traceparent that it saw.
func call(ctx context.Context, t *testing.T, client, server *telemetry.Traces) string {
	t.Helper()
	event, err := eventv1.NewEventServiceClient(serve(t, client, server)).GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
	if err != nil {
		t.Fatal(err)
	}
	return event.GetName()
}

func TestTheTraceGoesOnWithoutAnExporter(t *testing.T) {
	t.Parallel()
	client, server := newTraces(t), newTraces(t)
	if got := call(client.WithTraceparent(t.Context(), traceparent), t, client, server); got != traceparent {
		t.Errorf("the server sees %q, want %q", got, traceparent)
	}
}

func TestBothEndsOfACallShareTheTrace(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	traces := newTraces(t, spans)
	seen := call(traces.WithTraceparent(t.Context(), traceparent), t, traces, traces)
	kinds := map[oteltrace.SpanKind]trace.ReadOnlySpan{}
	// The server's span ends after the answer is sent.
	eventually(t, "two spans end", func() bool { return len(spans.Ended()) == 2 })
	for _, span := range spans.Ended() {
		kinds[span.SpanKind()] = span
		if got := span.SpanContext().TraceID().String(); got != traceID {
			t.Errorf("%s has trace %s, want %s", span.Name(), got, traceID)
		}
	}
	client, server := kinds[oteltrace.SpanKindClient], kinds[oteltrace.SpanKindServer]
	if client == nil || server == nil {
		t.Fatalf("spans are %v", kinds)
	}
	if server.Parent().SpanID() != client.SpanContext().SpanID() {
		t.Error("the server's span isn't the client span's child")
	}
	if !strings.Contains(seen, server.SpanContext().SpanID().String()) {
		t.Errorf("the handler sees %s, want the server's span", seen)
	}
}

func TestHealthChecksMakeNoSpans(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	traces := newTraces(t, spans)
	if _, err := healthv1.NewHealthClient(serve(t, traces, traces)).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Fatal(err)
	}
	if started := spans.Started(); len(started) > 0 {
		t.Errorf("%d spans, the first is %s", len(started), started[0].Name())
	}
}

func TestTraceparentRoundTrip(t *testing.T) {
	t.Parallel()
	traces := newTraces(t)
	for given, want := range map[string]string{traceparent: traceparent, "": "", "no traceparent": "", traceparent[3:]: ""} {
		if got := traces.Traceparent(traces.WithTraceparent(t.Context(), given)); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}

func TestTheShareThatIsKept(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	traces, err := telemetry.NewTraces("test", telemetry.Config{SampleRatio: 0}, spans)
	if err != nil {
		t.Fatal(err)
	}
	_, own := traces.Tracer("test").Start(t.Context(), "begins here")
	own.End()
	_, continued := traces.Tracer("test").Start(traces.WithTraceparent(t.Context(), traceparent), "began elsewhere")
	continued.End()
	if ended := spans.Ended(); len(ended) != 1 || ended[0].Name() != "began elsewhere" {
		t.Errorf("kept: %v, want the one that began elsewhere", ended)
	}
}

func TestSpansReachZipkinAtTheLatestWhenStopping(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 1)
	zipkin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent <- string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(zipkin.Close)
	traces, err := telemetry.NewTraces("event", telemetry.Config{Zipkin: zipkin.URL, SampleRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, span := traces.Tracer("test").Start(t.Context(), "work")
	span.End()
	if err := traces.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	body := <-sent
	for _, part := range []string{`"work"`, `"event"`, span.SpanContext().TraceID().String()} {
		if !strings.Contains(body, part) {
			t.Errorf("Zipkin got no %s: %s", part, body)
		}
	}
}

func TestConfigRefusesNonsense(t *testing.T) {
	t.Parallel()
	for ratio, good := range map[float64]bool{0: true, 0.5: true, 1: true, -0.1: false, 1.1: false, math.Inf(1): false} {
		err := telemetry.Config{SampleRatio: ratio}.Validate()
		if (err == nil) != good || (err != nil && !strings.HasPrefix(err.Error(), "sample_ratio: ")) {
			t.Errorf("ratio %v: %v", ratio, err)
		}
	}
	if _, err := telemetry.NewTraces("x", telemetry.Config{Zipkin: "::"}); err == nil || !strings.Contains(err.Error(), "telemetry.zipkin") {
		t.Errorf("bad URL: %v", err)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
