package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"

	"eventprospect/mesh/audit"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/telemetry"
)

func TestARecordTellsWhatIsKnownWhateverTheLevel(t *testing.T) {
	t.Parallel()
	user := &auth.Identity{Subject: "u", Client: "gateway-cli", Roles: []string{"editor"}}
	cases := map[string]struct {
		entry audit.Entry
		want  map[string]any
	}{
		"all": {
			audit.Entry{
				Method: "/m", Caller: &auth.Identity{Subject: "s", Client: "prospect-service", User: user},
				Peer: "192.0.2.1", ForwardedFor: "192.0.2.7", Resource: "r", Code: codes.PermissionDenied,
			},
			map[string]any{
				"method": "/m", "subject": "s", "client": "prospect-service", "user": "u", "user_client": "gateway-cli",
				"peer": "192.0.2.1", "forwarded_for": "192.0.2.7", "resource": "r", "code": "PERMISSION_DENIED",
			},
		},
		"nothing": {audit.Entry{Method: "/m"}, map[string]any{"method": "/m", "code": "OK"}},
	}
	provider := sdktrace.NewTracerProvider()
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	ctx, span := provider.Tracer("test").Start(t.Context(), "call")
	defer span.End()
	for name, c := range cases {
		var out bytes.Buffer
		audit.Write(ctx, telemetry.NewLog(&out, "event", slog.LevelError), c.entry)
		var got struct {
			Msg, Level, Service, Time string
			TraceID                   string `json:"trace_id"`
			Audit                     map[string]any
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		if got.Msg != "audit" || got.Level != "INFO" || got.Service != "event" || got.Time == "" ||
			got.TraceID != trace.SpanContextFromContext(ctx).TraceID().String() {
			t.Errorf("%s: %s", name, &out)
		}
		if diff := cmp.Diff(c.want, got.Audit); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	log := telemetry.NewLog(&discard{}, "event", slog.LevelInfo)
	caller := &auth.Identity{Subject: "7f2c8f60-0000-4000-8000-000000000001", Client: "gateway-cli"}
	for b.Loop() {
		audit.Write(b.Context(), log, audit.Entry{
			Method: "/event.v1.EventService/CreateEvent", Caller: caller, Peer: "192.0.2.1", ForwardedFor: "192.0.2.7",
			Resource: "0195f0c8-1111-7000-8000-000000000001",
		})
	}
}

// discard is a writer that the log doesn't know to be io.Discard.
type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }
