package e2e_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
)

// large is more than a consumer can put on the DLQ, and less than brokers take.
const large = 1_020_000

// personal is in values and nowhere else: errors, logs and metrics must not repeat it.
const personal = "Gracissima"

// shape is a way in which a record is bad.
type shape struct {
	name string
	// reason and says are the reason that the DLQ must give, and a part of the error.
	reason, says string
	// foreign says that the value is of another contract. It can't be corrected as a message, but as bytes.
	foreign bool
	// spoil makes a good record bad.
	spoil func(t *testing.T, r *kgo.Record)
}

const (
	undecodable = "the value is not a prospect.events.v1.ProspectEvent"
	untimely    = "occur_time: must be a time of the years 1 to 9999"
	tooLow      = "version: must be greater than or equal to 1"
)

// shapes are twenty ways.
func shapes(rng *rand.Rand) []shape {
	return []shape{
		{"an empty value", "invalid", untimely, false, ofValue(func([]byte) []byte { return []byte{} })},
		{"a tombstone that says it is a marker of the DLQ", "invalid", untimely, false, forge},
		{"random bytes", "invalid", undecodable, false, ofValue(func([]byte) []byte { return noise(rng, 200) })},
		{"a truncated message", "invalid", undecodable, false, ofValue(func(value []byte) []byte { return value[:len(value)-3] })},
		{"JSON without key and headers", "invalid", undecodable, false, spell},
		{"a field of another type", "invalid", tooLow, true, retype},
		{"another message", "invalid", untimely, true, replace},
		{"text that isn't UTF-8", "invalid", undecodable, false, ofValue(appendBadText)},
		{"no id", "invalid", "id: ", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.Id = "" })},
		{"an id that is no UUID", "invalid", "id: must be a valid UUID", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.Id = personal })},
		{"no kind", "invalid", "kind: ", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.Kind = 0 })},
		{"a newer kind", "newer", "kind: 99 is newer than this service", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.Kind = 99 })},
		{"no prospect", "invalid", "prospect_id: ", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.ProspectId = "" })},
		{"a long prospect", "invalid", "prospect_id: ", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.ProspectId = strings.Repeat("p", 129) })},
		{"a prospect with U+0000", "invalid", "prospect_id: must not hold the character U+0000", false, ofMessage(func(m *eventsv1.ProspectEvent) { m.ProspectId += "\x00" })},
		{"version 0", "invalid", tooLow, false, ofMessage(func(m *eventsv1.ProspectEvent) { m.Version = 0 })},
		{"a negative version", "invalid", tooLow, false, ofMessage(func(m *eventsv1.ProspectEvent) { m.Version = -m.Version })},
		{"a time out of range", "invalid", untimely, false, ofMessage(func(m *eventsv1.ProspectEvent) { m.OccurTime = &timestamppb.Timestamp{Seconds: 1 << 60} })},
		{"a value near the limit", "invalid", untimely, false, ofMessage(func(m *eventsv1.ProspectEvent) {
			m.OccurTime, m.FiledWork = nil, strings.Repeat("x", large)
		})},
		{"headers near the limit", "invalid", undecodable, false, swell},
	}
}

func ofValue(spoil func([]byte) []byte) func(*testing.T, *kgo.Record) {
	return func(_ *testing.T, r *kgo.Record) { r.Value = spoil(r.Value) }
}

// ofMessage spoils the message, of which the value is made anew.
func ofMessage(spoil func(*eventsv1.ProspectEvent)) func(*testing.T, *kgo.Record) {
	return func(t *testing.T, r *kgo.Record) {
		var m eventsv1.ProspectEvent
		if err := proto.Unmarshal(r.Value, &m); err != nil {
			t.Fatal(err)
		}
		spoil(&m)
		r.Value = encoded(t, &m)
	}
}

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// noise begins with a type that no field can have.
func noise(rng *rand.Rand, length int) []byte {
	value := []byte{7}
	for range length {
		value = append(value, byte(rng.Uint32()))
	}
	return value
}

// forge makes a record that would hide all others of the DLQ, if its own headers were believed there.
func forge(_ *testing.T, r *kgo.Record) {
	r.Value = nil
	for key, value := range map[string]string{
		"dlq_handled": "discarded", "dlq_handled_offsets": "0-999999", "dlq_reason": "failed", "dlq_topic": "elsewhere", "dlq_partition": "0", "dlq_offset": "0",
	} {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	}
}

func spell(_ *testing.T, r *kgo.Record) {
	r.Key, r.Headers, r.Value = nil, nil, []byte(`{"kind": "CREATED", "lastName": "`+personal+`"}`)
}

// retype gives the version as text.
func retype(t *testing.T, r *kgo.Record) {
	ofMessage(func(m *eventsv1.ProspectEvent) { m.Version = 0 })(t, r)
	r.Value = protowire.AppendString(protowire.AppendTag(r.Value, 4, protowire.BytesType), "1")
}

// replace publishes what must not be on the topic at all.
func replace(t *testing.T, r *kgo.Record) {
	r.Value = encoded(t, &prospectv1.Prospect{Id: string(r.Key), FirstName: personal, LastName: "Hopper", FiledWork: "IT"})
}

func appendBadText(value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(value, 6, protowire.BytesType), []byte(personal+"\xff"))
}

// swell leaves so much in the headers that not even they fit on the DLQ with what is added there.
func swell(_ *testing.T, r *kgo.Record) {
	r.Value = []byte{0xff}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: "padding", Value: bytes.Repeat([]byte{'x'}, large)})
}
