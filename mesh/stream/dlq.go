package stream

import (
	"context"
	"errors"
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

// bury puts a record on the DLQ as it is, with headers that say why, and tries until Kafka has it or the context ends.
func (c *Consumer) bury(ctx context.Context, record *kgo.Record, reason string, attempt int, cause error) error {
	if errors.Is(cause, ErrNewer) {
		reason = "newer"
	}
	value := record.Value
	for wait := newBackoff(c.shortest, c.longest); ; {
		err := c.client.ProduceSync(ctx, c.dead(record, value, reason, attempt, cause)).FirstErr()
		switch {
		case err == nil:
			c.log.ErrorContext(ctx, "record put on the DLQ", "reason", reason, "partition", record.Partition, "offset", record.Offset, "error", cause)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, kerr.MessageTooLarge) && len(value) > 0:
			// It was as large as may be, and the headers make it larger. They tell where the value is.
			value = nil
		}
		c.log.WarnContext(ctx, "record not put on the DLQ", "partition", record.Partition, "offset", record.Offset, "error", err)
		wait.pause(ctx)
	}
}

// dead makes the record for the DLQ.
func (c *Consumer) dead(record *kgo.Record, value []byte, reason string, attempt int, cause error) *kgo.Record {
	return &kgo.Record{
		Topic: c.cfg.DLQ(), Key: record.Key, Value: value,
		Headers: append(record.Headers[:len(record.Headers):len(record.Headers)],
			kgo.RecordHeader{Key: HeaderReason, Value: []byte(reason)},
			kgo.RecordHeader{Key: HeaderError, Value: []byte(safe(cause))},
			kgo.RecordHeader{Key: HeaderTopic, Value: []byte(record.Topic)},
			kgo.RecordHeader{Key: HeaderPartition, Value: strconv.AppendInt(nil, int64(record.Partition), 10)},
			kgo.RecordHeader{Key: HeaderOffset, Value: strconv.AppendInt(nil, record.Offset, 10)},
			kgo.RecordHeader{Key: HeaderTime, Value: []byte(record.Timestamp.UTC().Format(time.RFC3339Nano))},
			kgo.RecordHeader{Key: HeaderAttempts, Value: strconv.AppendInt(nil, int64(attempt), 10)},
		),
	}
}

// safe gives what may be told of an error outside the log.
func safe(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return "an internal error"
}
