package deadletter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/stream"
)

// Place is where a record stands on a topic.
type Place struct {
	Partition int32
	Offset    int64
}

// String writes a place as PARTITION:OFFSET.
func (p Place) String() string { return fmt.Sprintf("%d:%d", p.Partition, p.Offset) }

// MarshalText implements encoding.TextMarshaler.
func (p Place) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Place) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePlace(string(text))
	return err
}

// ParsePlace reads what String writes.
func ParsePlace(text string) (Place, error) {
	left, right, _ := strings.Cut(text, ":")
	partition, err := strconv.ParseInt(left, 10, 32)
	offset, err2 := strconv.ParseInt(right, 10, 64)
	if err != nil || err2 != nil || partition < 0 || offset < 0 {
		return Place{}, fmt.Errorf("%q is not PARTITION:OFFSET", text)
	}
	return Place{int32(partition), offset}, nil
}

// Letter is a record on the DLQ.
type Letter struct {
	// Place is where it stands on the DLQ, Buried when it came there.
	Place
	Buried time.Time
	// Reason and Error say why: see stream.HeaderReason.
	Reason, Error string
	// Attempts is how often it was tried.
	Attempts int
	// Topic and Original are where the record was, Time is its timestamp there. They are empty if the headers don't say.
	Topic    string
	Original *Place
	Time     time.Time
	// Key, Value and Headers are those of the record.
	Key, Value []byte
	Headers    []kgo.RecordHeader
}

// Header gives the value of one of the record's own headers; "" if it has none.
func (l *Letter) Header(key string) string {
	for _, h := range l.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// LeftOut tells whether the value may have been left out, for the record being too large for the DLQ. It is where the record was.
func (l *Letter) LeftOut() bool { return len(l.Value) == 0 }

// bare tells whether key and headers may have been left out, too: where they alone were too large for the DLQ.
func (l *Letter) bare() bool { return len(l.Key) == 0 && len(l.Headers) == 0 }

// prefix is that of all headers that belong to the DLQ and not to the record.
const prefix = "dlq_"

func newLetter(r *kgo.Record) *Letter {
	l := &Letter{
		Place: Place{r.Partition, r.Offset}, Buried: r.Timestamp.UTC(), Key: r.Key, Value: r.Value,
		Reason: header(r, stream.HeaderReason), Error: header(r, stream.HeaderError), Topic: header(r, stream.HeaderTopic),
	}
	l.Attempts, _ = strconv.Atoi(header(r, stream.HeaderAttempts))
	l.Time, _ = time.Parse(time.RFC3339Nano, header(r, stream.HeaderTime))
	if at, err := ParsePlace(header(r, stream.HeaderPartition) + ":" + header(r, stream.HeaderOffset)); err == nil {
		l.Original = &at
	}
	l.Headers = own(r.Headers)
	return l
}

// own gives the headers that are the record's own.
func own(headers []kgo.RecordHeader) []kgo.RecordHeader {
	return slices.DeleteFunc(slices.Clone(headers), func(h kgo.RecordHeader) bool { return strings.HasPrefix(h.Key, prefix) })
}

// header gives the last of a record's headers of this name: those of the DLQ come after the record's own.
func header(r *kgo.Record, key string) string {
	for _, h := range slices.Backward(r.Headers) {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
