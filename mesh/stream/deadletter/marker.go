package deadletter

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/stream"
)

// A marker is a record on the DLQ without key and value that says of others, on the same partition and before it, that they are
// handled. Deleting single records is nothing that Kafka can do. Retention takes what is marked before it takes the marker.
const (
	// HeaderHandled is what was done: Replayed or Discarded.
	HeaderHandled = "dlq_handled"
	// HeaderHandledOffsets are the offsets, like "3-7,9", and HeaderHandledTime is when it was done.
	HeaderHandledOffsets = "dlq_handled_offsets"
	HeaderHandledTime    = "dlq_handled_time"
)

// What was done with a record.
const (
	Replayed  = "replayed"
	Discarded = "discarded"
)

func newMarker(dlq string, partition int32, handled offsets, how string, when time.Time) *kgo.Record {
	return &kgo.Record{Topic: dlq, Partition: partition, Headers: []kgo.RecordHeader{
		{Key: HeaderHandled, Value: []byte(how)},
		{Key: HeaderHandledOffsets, Value: []byte(handled.String())},
		{Key: HeaderHandledTime, Value: []byte(when.UTC().Format(time.RFC3339Nano))},
	}}
}

// readMarker gives what a marker marks; false if the record is none. What consumers bury has a reason, so that no record can
// pass for a marker by its own headers.
func readMarker(r *kgo.Record) (offsets, bool) {
	if header(r, HeaderHandled) == "" || r.Value != nil || header(r, stream.HeaderReason) != "" {
		return nil, false
	}
	marked, err := parseOffsets(header(r, HeaderHandledOffsets))
	if err != nil {
		return nil, true // it marks nothing, and is no record to be looked at either
	}
	var before offsets
	for _, m := range marked {
		before = before.add(stream.Range{From: m.From, To: min(m.To, r.Offset)})
	}
	return before, true
}
