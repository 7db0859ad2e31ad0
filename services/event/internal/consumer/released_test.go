package consumer_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/services/event/internal/event"
)

// released is a record as a released Prospect service put it on the topic. The Prospect service's tests write such a file for
// each new shape of a record; none is ever changed or deleted: such records are on topics.
type released struct {
	name    string
	Key     string            `json:"key"`
	Headers map[string]string `json:"headers"`
	Value   string            `json:"value"`   // in hexadecimal
	Message json.RawMessage   `json:"message"` // what the value says, as JSON
}

// record gives the Kafka record, and the message that it holds by the file's own account.
func (r released) record(t *testing.T) (*kgo.Record, *eventsv1.ProspectEvent) {
	t.Helper()
	value, err := hex.DecodeString(r.Value)
	if err != nil {
		t.Fatalf("%s: value: %v", r.name, err)
	}
	record := &kgo.Record{Topic: "prospect-events", Key: []byte(r.Key), Value: value}
	for key, value := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
	message := &eventsv1.ProspectEvent{}
	if err := protojson.Unmarshal(r.Message, message); err != nil {
		t.Fatalf("%s: message: %v", r.name, err)
	}
	return record, message
}

func releasedRecords(t *testing.T) []released {
	t.Helper()
	files, err := filepath.Glob("testdata/released/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []released
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := released{name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, r)
	}
	return all
}

// becomes says which event each released record becomes, by the name of its file.
var becomes = map[string]event.Event{
	"v1-created":      {Name: "Prospect created", Date: "2026-11-23", Kind: event.ProspectCreated},
	"v1-created-bare": {Name: "Prospect created", Date: "2026-11-23", Kind: event.ProspectCreated},
	"v1-updated":      {Name: "Prospect updated", Date: "2026-11-23", Kind: event.ProspectUpdated},
	"v1-deleted":      {Name: "Prospect deleted", Date: "2026-11-23", Kind: event.ProspectDeleted},
}

// TestReleasedRecordsAreReadForEver holds the contract and this service to what is on topics already: a change that breaks
// this test breaks records that are stored.
func TestReleasedRecordsAreReadForEver(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range releasedRecords(t) {
		seen[r.name] = true
		record, want := r.record(t)
		message := &eventsv1.ProspectEvent{}
		if err := proto.Unmarshal(record.Value, message); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		if !proto.Equal(message, want) || len(message.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("%s: decoded %v, want %v", r.name, message, want)
		}
		handler, events := newHandler(t)
		if err := handle(t, handler, record); err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		applied, known := becomes[r.name]
		if !known {
			t.Errorf("%s: say in becomes which event it becomes", r.name)
		}
		found := list(t, events)
		if len(found) != 1 {
			t.Errorf("%s: became %v", r.name, found)
			continue
		}
		applied.ID, applied.ProspectID, applied.Created, applied.Updated, applied.Version = found[0].ID, want.GetProspectId(), now, now, 1
		if diff := cmp.Diff(applied, found[0]); diff != "" {
			t.Errorf("%s: %s", r.name, diff)
		}
		if r.Key != want.GetProspectId() || r.Headers["ce_id"] != want.GetId() {
			t.Errorf("%s: key %s, headers %v", r.name, r.Key, r.Headers)
		}
	}
	for name := range becomes {
		if !seen[name] {
			t.Errorf("%s: the file is gone; a released record is never deleted", name)
		}
	}
}

// TestReleasedRecordsShowAllOfTheContract fails when a field or a kind is added without a record that shows it.
func TestReleasedRecordsShowAllOfTheContract(t *testing.T) {
	t.Parallel()
	var fields []protoreflect.Name
	var kinds []eventsv1.ProspectEvent_Kind
	for _, r := range releasedRecords(t) {
		_, message := r.record(t)
		message.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			fields = append(fields, field.Name())
			return true
		})
		kinds = append(kinds, message.GetKind())
	}
	all := (&eventsv1.ProspectEvent{}).ProtoReflect().Descriptor().Fields()
	for i := range all.Len() {
		if name := all.Get(i).Name(); !slices.Contains(fields, name) {
			t.Errorf("no released record has %s set: add a shape to the Prospect service's released_test.go", name)
		}
	}
	for number, name := range eventsv1.ProspectEvent_Kind_name {
		if number != 0 && !slices.Contains(kinds, eventsv1.ProspectEvent_Kind(number)) {
			t.Errorf("no released record is of kind %s: add a shape to the Prospect service's released_test.go", name)
		}
	}
}

// TestFirstReleasedValueIsReadForEver does the same for the first value that was kept, which came without a record.
func TestFirstReleasedValueIsReadForEver(t *testing.T) {
	t.Parallel()
	value, err := os.ReadFile("testdata/prospect_event_v1.binpb")
	if err != nil {
		t.Fatal(err)
	}
	message := &eventsv1.ProspectEvent{}
	if err := proto.Unmarshal(value, message); err != nil {
		t.Fatal(err)
	}
	if want := good(eventsv1.ProspectEvent_UPDATED); !proto.Equal(message, want) {
		t.Errorf("decoded %v, want %v", message, want)
	}
	handler, events := newHandler(t)
	if err := handle(t, handler, &kgo.Record{Value: value}); err != nil {
		t.Fatal(err)
	}
	if found := list(t, events); len(found) != 1 || found[0].Kind != event.ProspectUpdated {
		t.Errorf("it became %v", found)
	}
}
