package stream

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/fault"
)

// ErrNewer is the cause of a fault of kind Invalid whose record is good, but of a contract newer than this program. On the DLQ
// it is kept, with a reason of its own: "newer"; replay it after an upgrade.
var ErrNewer = errors.New("a newer contract")

// A record on the DLQ has the headers that it had on its topic, and then these.
const (
	// HeaderReason is why it is there: "invalid", "newer" or "failed"; HeaderError what may be told of the error.
	HeaderReason = "dlq_reason"
	HeaderError  = "dlq_error"
	// HeaderTopic, HeaderPartition and HeaderOffset are where it was, HeaderTime the timestamp that it had there.
	HeaderTopic     = "dlq_topic"
	HeaderPartition = "dlq_partition"
	HeaderOffset    = "dlq_offset"
	HeaderTime      = "dlq_time"
	// HeaderAttempts is how often it was tried.
	HeaderAttempts = "dlq_attempts"
)

// HeaderReplayed is when a record was put back on its topic from the DLQ (RFC 3339). It has none of the others there.
const HeaderReplayed = "dlq_replayed"

// doom is why a record goes to the DLQ.
type doom struct {
	reason string
	cause  error
}

// bury puts records on the DLQ as they are, with headers that say why, and settles those that Kafka has then. The others are tried
// again later, and hold up their own keys alone.
func (c *Consumer) bury(ctx context.Context, l *lane, items []*item) {
	for len(items) > 0 && ctx.Err() == nil {
		var large []*item
		for n, err := range c.produce(ctx, items) {
			i := items[n]
			about := []any{"reason", i.doom.reason, "partition", l.partition, "offset", i.record.Offset}
			switch {
			case err == nil:
				l.settle(i)
				c.counts.dead(i.doom.reason)
				c.log.ErrorContext(inTrace(ctx, i.record), "record put on the DLQ", append(about, "error", i.doom.cause)...)
			case errors.Is(err, kerr.MessageTooLarge) && i.leftOut < leftOutAll:
				// It was as large as may be, and our headers make it larger. They tell where the rest is.
				i.leftOut++
				large = append(large, i)
			default:
				if ctx.Err() == nil && !i.refused {
					i.refused = true
					c.log.WarnContext(inTrace(ctx, i.record), "record not put on the DLQ", append(about, "error", err)...)
				}
				l.hold(i, time.Now(), c.shortest, c.longest)
			}
		}
		items = large
	}
}

// produce sends the records for the DLQ together, and returns what became of each.
func (c *Consumer) produce(ctx context.Context, items []*item) []error {
	dead := make([]*kgo.Record, len(items))
	place := make(map[*kgo.Record]int, len(items))
	for n, i := range items {
		dead[n] = c.dead(i)
		dead[n].Context = inTrace(ctx, i.record)
		place[dead[n]] = n
	}
	results := make([]error, len(items))
	for _, result := range c.client.ProduceSync(ctx, dead...) {
		results[place[result.Record]] = result.Err
	}
	if slices.ContainsFunc(results, isAnew) {
		c.client.PurgeTopicsFromProducing(c.cfg.DLQ())
	}
	return results
}

// leftOut is what of a record doesn't go to the DLQ, since it is too large to be there with our headers.
type leftOut int

const (
	leftOutNothing leftOut = iota
	leftOutValue
	leftOutAll // its place alone is kept
)

// dead makes the record for the DLQ.
func (c *Consumer) dead(i *item) *kgo.Record {
	record := i.record
	dead := &kgo.Record{
		Topic: c.cfg.DLQ(), Headers: []kgo.RecordHeader{
			{Key: HeaderReason, Value: []byte(i.doom.reason)},
			{Key: HeaderError, Value: []byte(safe(i.doom.cause))},
			{Key: HeaderTopic, Value: []byte(record.Topic)},
			{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(record.Partition), 10)},
			{Key: HeaderOffset, Value: strconv.AppendInt(nil, record.Offset, 10)},
			{Key: HeaderTime, Value: []byte(record.Timestamp.UTC().Format(time.RFC3339Nano))},
			{Key: HeaderAttempts, Value: strconv.AppendInt(nil, int64(i.attempts), 10)},
		},
	}
	if i.leftOut < leftOutAll {
		dead.Key, dead.Headers = record.Key, slices.Concat(record.Headers, dead.Headers)
	}
	if i.leftOut == leftOutNothing {
		dead.Value = record.Value
	}
	return dead
}

// safe gives what may be told of an error outside the log.
func safe(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return "an internal error"
}
