package stream

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/telemetry"
)

// recorded makes traces whose spans are kept.
func recorded(t *testing.T) (*telemetry.Traces, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	traces, err := telemetry.NewTraces("test", telemetry.Config{SampleRatio: 1}, spans)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = traces.Stop(context.Background()) })
	return traces, spans
}

// named gives the spans of this name that have ended.
func named(spans *tracetest.SpanRecorder, name string) []sdktrace.ReadOnlySpan {
	var all []sdktrace.ReadOnlySpan
	for _, span := range spans.Ended() {
		if span.Name() == name {
			all = append(all, span)
		}
	}
	return all
}

// TestOneTraceFromTheRequestToTheDLQ follows the trace of the request that caused a message: through the outbox, the relay,
// Kafka, the consumer and the DLQ.
func TestOneTraceFromTheRequestToTheDLQ(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	traces, spans := recorded(t)
	request, span := traces.Tracer("test").Start(t.Context(), "request")
	m := message("a", 1)
	m.Trace = traces.Traceparent(request)
	span.End()
	q.add(m)
	relay, err := NewRelay(q, b.cfg, "/thing", Telemetry{traces, noop.NewMeterProvider(), quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan trace.SpanContext, 1)
	consumer, err := NewConsumer(b.cfg, "group", func(ctx context.Context, _ *kgo.Record) error {
		handled <- trace.SpanContextFromContext(ctx)
		return fault.New(fault.Invalid, "bad")
	}, Telemetry{traces, noop.NewMeterProvider(), quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	start(t, relay.Run)
	start(t, consumer.Run)
	want := span.SpanContext().TraceID()
	if got := (<-handled).TraceID(); got != want {
		t.Errorf("the handler is in the trace %v, want %v", got, want)
	}
	for _, name := range []string{"things publish", "things receive", "things process", "things.dlq publish"} {
		eventually(t, "a span "+name, func() bool { return len(named(spans, name)) > 0 })
		if got := named(spans, name)[0].SpanContext().TraceID(); got != want {
			t.Errorf("%s is in the trace %v, want %v", name, got, want)
		}
	}
	dead := traces.WithTraceparent(t.Context(), header(b.read(t, b.cfg.DLQ(), 1)[0], "traceparent"))
	if got := trace.SpanContextFromContext(dead).TraceID(); got != want {
		t.Errorf("the record on the DLQ is in the trace %v, want %v", got, want)
	}
	if parent := named(spans, "things publish")[0].Parent().SpanID(); parent != span.SpanContext().SpanID() {
		t.Errorf("published below %v, want the request %v", parent, span.SpanContext().SpanID())
	}
}

// TestTracesPassWithoutBeingKept shows that a process which keeps no spans hands the trace on all the same.
func TestTracesPassWithoutBeingKept(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	b.produce(t, &kgo.Record{Value: []byte("x"), Headers: []kgo.RecordHeader{{Key: "traceparent", Value: []byte(parent)}}})
	start(t, newConsumer(t, b, refuse).Run)
	if got := header(b.read(t, b.cfg.DLQ(), 1)[0], "traceparent"); got != parent {
		t.Errorf("traceparent %q, want %q", got, parent)
	}
}
