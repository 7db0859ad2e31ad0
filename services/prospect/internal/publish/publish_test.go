package publish_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/publish"
)

const id = "0195f0c8-1111-7000-8000-000000000001"

var at = time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)

// full is an announcement that leaves no field out.
var full = prospect.Announcement{
	Kind: prospect.Updated, ProspectID: "p", Version: 7, Changed: []string{"first_name", "filed_work"}, FiledWork: "IT", IDEvent: "e", Time: at,
}

func encoder(t *testing.T) (prospect.Encode, *telemetry.Traces) {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{SampleRatio: 1}, tracetest.NewSpanRecorder())
	if err != nil {
		t.Fatal(err)
	}
	return publish.Encoder(func() string { return id }, traces), traces
}

func decode(t *testing.T, payload []byte) *eventsv1.ProspectEvent {
	t.Helper()
	message := &eventsv1.ProspectEvent{}
	if err := proto.Unmarshal(payload, message); err != nil {
		t.Fatal(err)
	}
	return message
}

func TestEncode(t *testing.T) {
	t.Parallel()
	encode, traces := encoder(t)
	ctx, span := traces.Tracer("test").Start(t.Context(), "request")
	defer span.End()
	m, err := encode(ctx, full)
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != id || m.Key != "p" || m.Type != "prospect.events.v1.updated" || !m.Time.Equal(at) || m.Trace != traces.Traceparent(ctx) {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(m.Trace, span.SpanContext().TraceID().String()) {
		t.Errorf("trace %q is not that of the request", m.Trace)
	}
	message := decode(t, m.Payload)
	want := &eventsv1.ProspectEvent{
		Id: id, Kind: eventsv1.ProspectEvent_UPDATED, ProspectId: "p", Version: 7, ChangedFields: full.Changed,
		FiledWork: "IT", IdEvent: "e", OccurTime: timestamppb.New(at),
	}
	if !proto.Equal(message, want) {
		t.Errorf("%v, want %v", message, want)
	}
	wantFull(t, message)
	if err := protovalidate.Validate(message); err != nil {
		t.Errorf("it breaks its contract: %v", err)
	}
}

// wantFull checks that no field of the contract was forgotten.
func wantFull(t *testing.T, message proto.Message) {
	t.Helper()
	fields := message.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); !message.ProtoReflect().Has(field) {
			t.Errorf("%s is not set", field.Name())
		}
	}
}

func TestKindsAreInStep(t *testing.T) {
	t.Parallel()
	encode, _ := encoder(t)
	kinds := []prospect.Kind{prospect.Created, prospect.Updated, prospect.Deleted}
	seen := map[eventsv1.ProspectEvent_Kind]bool{}
	for _, kind := range kinds {
		a := full
		a.Kind = kind
		m, err := encode(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		got := decode(t, m.Payload).GetKind()
		if got.String() != string(kind) || m.Type != "prospect.events.v1."+strings.ToLower(got.String()) {
			t.Errorf("%s became %v of type %s", kind, got, m.Type)
		}
		seen[got] = true
	}
	for number, name := range eventsv1.ProspectEvent_Kind_name {
		if number != 0 && !seen[eventsv1.ProspectEvent_Kind(number)] {
			t.Errorf("no announcement is of the contract's kind %s", name)
		}
	}
}

// TestNoPersonalDataIsPublished holds the contract to the fields that are none: who adds one has to think about it here.
func TestNoPersonalDataIsPublished(t *testing.T) {
	t.Parallel()
	want := []protoreflect.Name{"id", "kind", "prospect_id", "version", "changed_fields", "filed_work", "id_event", "occur_time"}
	fields := (&eventsv1.ProspectEvent{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if name := fields.Get(i).Name(); !slices.Contains(want, name) {
			t.Errorf("is %s no personal data?", name)
		}
	}
}

func TestNoTraceWithoutARequest(t *testing.T) {
	t.Parallel()
	encode, _ := encoder(t)
	if m, err := encode(t.Context(), full); err != nil || m.Trace != "" {
		t.Errorf("trace %q, %v", m.Trace, err)
	}
}
