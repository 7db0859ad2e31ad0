package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"eventprospect/mesh/telemetry"
)

// line writes one line to a log and reads it.
func line(ctx context.Context, t *testing.T, prepare func(*slog.Logger) *slog.Logger) map[string]any {
	t.Helper()
	var out bytes.Buffer
	prepare(telemetry.NewLog(&out, "event", slog.LevelInfo)).InfoContext(ctx, "created", "event_id", "x")
	fields := map[string]any{}
	if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	return fields
}

func itself(log *slog.Logger) *slog.Logger { return log }

func TestALineIsJSONAndNamesTheService(t *testing.T) {
	t.Parallel()
	got := line(t.Context(), t, itself)
	for key, want := range map[string]string{"service": "event", "msg": "created", "level": "INFO", "event_id": "x"} {
		if got[key] != want {
			t.Errorf("%s is %v, want %s", key, got[key], want)
		}
	}
	for _, key := range []string{"trace_id", "span_id"} {
		if value, there := got[key]; there {
			t.Errorf("%s is %v outside of a span", key, value)
		}
	}
}

func TestALineInASpanCarriesItsIDs(t *testing.T) {
	t.Parallel()
	ctx, span := newTraces(t, tracetest.NewSpanRecorder()).Tracer("test").Start(t.Context(), "work")
	defer span.End()
	for name, prepare := range map[string]func(*slog.Logger) *slog.Logger{
		"the log itself": itself,
		"with a field":   func(log *slog.Logger) *slog.Logger { return log.With("part", "store") },
	} {
		got := line(ctx, t, prepare)
		if want := span.SpanContext().TraceID().String(); got["trace_id"] != want {
			t.Errorf("%s: trace_id is %v, want %s", name, got["trace_id"], want)
		}
		if want := span.SpanContext().SpanID().String(); got["span_id"] != want {
			t.Errorf("%s: span_id is %v, want %s", name, got["span_id"], want)
		}
	}
}

func TestTheLevelIsALimit(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.NewLog(&out, "event", slog.LevelWarn)
	log.Info("not this")
	if out.Len() > 0 {
		t.Errorf("logged: %s", out.String())
	}
	if log.Warn("this"); out.Len() == 0 {
		t.Error("a warning isn't logged")
	}
}
