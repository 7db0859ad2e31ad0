package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	"eventprospect/e2e/kafka/kafkatest"
)

// hop is a span: what some process did.
type hop struct {
	service string
	kind    trace.SpanKind
	name    string // a part of the span's name
}

// hops are what must be in the trace of a creation.
func hops(topic string) []hop {
	return []hop{
		{"gateway", trace.SpanKindServer, "POST /prospects"},
		{"gateway", trace.SpanKindClient, "prospect.v1.ProspectService/CreateProspect"},
		{"prospect", trace.SpanKindServer, "prospect.v1.ProspectService/CreateProspect"},
		{"prospect", trace.SpanKindClient, "event.v1.EventService/GetEvent"},
		{"event", trace.SpanKindServer, "event.v1.EventService/GetEvent"},
		{"prospect", trace.SpanKindProducer, topic},
		{"event", trace.SpanKindConsumer, topic + " process"},
	}
}

// TestATraceFollowsAProspect begins a trace as a client would, and finds in it all that the creation of a prospect caused,
// up to the event at the far side of Kafka; and nothing about the person.
func TestATraceFollowsAProspect(t *testing.T) {
	t.Parallel()
	mustTrace(t, newWorld(t))
}

// TestATraceFollowsAProspectOnKafka does the same with a real Kafka.
func TestATraceFollowsAProspectOnKafka(t *testing.T) {
	t.Parallel()
	mustTrace(t, newWorldOf(t, system.Config{Kafka: kafkatest.Own(t), Closed: true}))
}

func mustTrace(t *testing.T, w *world) {
	t.Helper()
	event := w.post(t, "/events", `{"name": "Fair Secretissima"}`, nil)
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	w.post(t, "/prospects", `{"firstName": "Gracissima", "lastName": "Hopperissima", "filedWork": "Navissima", "idEvent": "`+event+`"}`,
		http.Header{"Traceparent": {"00-" + traceID + "-00f067aa0ba902b7-01"}})
	spans := w.await(t, traceID, hops(w.topic))
	for _, span := range spans {
		if at := slices.IndexFunc(w.Tokens(), func(token string) bool { return strings.Contains(textOf(span), token) }); at >= 0 {
			t.Errorf("a token is in the span %s", span.Name())
		}
		if text := textOf(span); strings.Contains(text, "issima") {
			t.Errorf("personal data is in the span %s", text)
		}
	}
	parents(t, spans)
}

// parents holds that the spans are one tree below the client's span.
func parents(t *testing.T, spans []sdktrace.ReadOnlySpan) {
	t.Helper()
	known := map[string]bool{"00f067aa0ba902b7": true}
	for _, span := range spans {
		known[span.SpanContext().SpanID().String()] = true
	}
	for _, span := range spans {
		if !known[span.Parent().SpanID().String()] {
			t.Errorf("%s %s has the unknown parent %s", serviceOf(span), span.Name(), span.Parent().SpanID())
		}
	}
}

// await gives the spans of a trace when all the hops are among them.
func (w *world) await(t *testing.T, traceID string, hops []hop) []sdktrace.ReadOnlySpan {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	patience := time.After(client.Patience)
	for {
		spans := slices.DeleteFunc(w.spans.Ended(), func(span sdktrace.ReadOnlySpan) bool {
			return span.SpanContext().TraceID().String() != traceID
		})
		missing := slices.DeleteFunc(slices.Clone(hops), func(h hop) bool { return slices.ContainsFunc(spans, h.is) })
		if len(missing) == 0 {
			return spans
		}
		select {
		case <-ticker.C:
		case <-patience:
			for _, span := range spans {
				t.Logf("%s %v %s", serviceOf(span), span.SpanKind(), span.Name())
			}
			t.Fatalf("not in the trace: %v", missing)
		}
	}
}

func (h hop) is(span sdktrace.ReadOnlySpan) bool {
	return serviceOf(span) == h.service && span.SpanKind() == h.kind && strings.Contains(span.Name(), h.name)
}

func (h hop) String() string { return fmt.Sprint(h.service, " ", h.kind, " ", h.name) }

func serviceOf(span sdktrace.ReadOnlySpan) string {
	value, _ := span.Resource().Set().Value("service.name")
	return value.AsString()
}

// post creates something over REST and returns its id.
func (w *world) post(t *testing.T, path, body string, header http.Header) string {
	t.Helper()
	req, err := w.Request(t.Context(), http.MethodPost, path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := w.Do(req, client.Editor)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("POST %s: %s %v %s", path, resp.Status, err, text)
	}
	var created struct{ ID string }
	if err := json.Unmarshal(text, &created); err != nil {
		t.Fatal(err)
	}
	return created.ID
}
