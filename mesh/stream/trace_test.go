package stream

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
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
	consumer, err := NewConsumer(b.cfg, "group", each(func(ctx context.Context, _ *kgo.Record) error {
		handled <- trace.SpanContextFromContext(ctx)
		return fault.New(fault.Invalid, "bad")
	}), Telemetry{traces, noop.NewMeterProvider(), quiet(t)})
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

// TestEachRecordOfABatchIsInItsOwnTrace, also one that comes late, or again from the DLQ, and also on the DLQ.
func TestEachRecordOfABatchIsInItsOwnTrace(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	traces, spans := recorded(t)
	ids := []string{"0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319c", "2cf7651916cd43dd8448eb211c80319c"}
	var records []*kgo.Record
	for n, id := range ids {
		r := &kgo.Record{Key: []byte(id), Value: []byte("x"), Headers: []kgo.RecordHeader{
			{Key: "traceparent", Value: []byte("00-" + id + "-b7ad6b7169203331-01")},
			{Key: "ce_time", Value: []byte(time.Now().Add(-time.Duration(n) * time.Hour).UTC().Format(time.RFC3339Nano))},
		}}
		records = append(records, r)
	}
	records[2].Headers = append(records[2].Headers, kgo.RecordHeader{Key: HeaderReplayed, Value: []byte("2026-11-23T10:20:30Z")})
	b.produce(t, records...)
	sizes := make(chan int, 10)
	c, err := NewConsumer(b.cfg, "group", func(_ context.Context, records []*kgo.Record) []error {
		sizes <- len(records)
		return all(len(records), fault.New(fault.Invalid, "bad"))
	}, Telemetry{traces, noop.NewMeterProvider(), quiet(t)})
	if err != nil {
		t.Fatal(err)
	}
	start(t, c.Run)
	if n := <-sizes; n != len(ids) {
		t.Fatalf("%d records are handed over, want all", n)
	}
	eventually(t, "spans", func() bool { return len(named(spans, "things process")) == len(ids) })
	for n, want := range []struct {
		late     bool
		replayed string
	}{{false, ""}, {true, ""}, {true, "2026-11-23T10:20:30Z"}} {
		span := named(spans, "things process")[n]
		if got := span.SpanContext().TraceID().String(); got != ids[n] {
			t.Errorf("record %d is in the trace %s, want %s", n, got, ids[n])
		}
		about := attribute.NewSet(span.Attributes()...)
		age, _ := about.Value("messaging.message.age")
		replayed, _ := about.Value("messaging.message.replayed")
		if got := age.AsFloat64(); want.late != (got > 0) || got > 0 && got < float64(3600*n) || replayed.AsString() != want.replayed {
			t.Errorf("record %d: age %v, replayed %q", n, got, replayed.AsString())
		}
	}
	for _, dead := range b.read(t, b.cfg.DLQ(), len(ids)) {
		ctx := traces.WithTraceparent(t.Context(), header(dead, "traceparent"))
		if got := trace.SpanContextFromContext(ctx).TraceID().String(); got != string(dead.Key) {
			t.Errorf("the record of the trace %s is on the DLQ in the trace %s", dead.Key, got)
		}
	}
}

// TestALatePublicationTellsHowLongItsMessageWaited has two messages of one request: one that has just happened, and one that had to wait. Both are
// published in the request's trace.
func TestALatePublicationTellsHowLongItsMessageWaited(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	traces, spans := recorded(t)
	request, span := traces.Tracer("test").Start(t.Context(), "request")
	late, soon := message("late", 1), message("soon", 1)
	late.Time, soon.Time = time.Now().Add(-time.Minute), time.Now()
	late.Trace, soon.Trace = traces.Traceparent(request), traces.Traceparent(request)
	span.End()
	q.add(late, soon)
	tell := telling(t, quiet(t))
	tell.Traces = traces
	relay, err := NewRelay(q, b.cfg, "/thing", tell)
	if err != nil {
		t.Fatal(err)
	}
	start(t, relay.Run)
	eventually(t, "both are published", func() bool { return len(named(spans, "things publish")) == 2 })
	for _, published := range named(spans, "things publish") {
		if published.Parent().SpanID() != span.SpanContext().SpanID() || published.SpanContext().TraceID() != span.SpanContext().TraceID() {
			t.Errorf("published below %v, want the request %v", published.Parent(), span.SpanContext())
		}
		attributes := attribute.NewSet(published.Attributes()...)
		key, _ := attributes.Value("messaging.kafka.message.key")
		after, told := attributes.Value(waitedKey)
		if told != (key.AsString() == "late") || told && (after.AsFloat64() < 60 || after.AsFloat64() > 60+patience.Seconds()) {
			t.Errorf("%s has waited: %v", key.AsString(), after.AsFloat64())
		}
	}
}
