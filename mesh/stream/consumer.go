package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/telemetry"
)

const (
	// attempts is how often a record is tried that fails for a passing reason; with the pauses between them a
	// partition is held up for less than half a minute.
	attempts   = 8
	firstPause = 50 * time.Millisecond
	maxPause   = 8 * time.Second
	// handleTimeout bounds one attempt.
	handleTimeout = 5 * time.Second
	// maxPoll bounds how many records are handled between two commits.
	maxPoll = 500
)

// Handle applies one record. It must be safe to call again with the same record. A fault of kind Invalid says that the record
// is bad and always will be; any other error is taken to pass.
type Handle func(ctx context.Context, record *kgo.Record) error

// Consumer applies the records of a topic: those of one partition in order, partitions side by side. An offset is committed
// after its record was applied or put on the DLQ, so that no record is lost; one may come again.
type Consumer struct {
	client *kgo.Client
	tracer *kotel.Tracer
	cfg    Config
	handle Handle
	log    *slog.Logger
}

// NewConsumer makes a consumer as a member of a group.
func NewConsumer(cfg Config, group string, handle Handle, traces *telemetry.Traces, log *slog.Logger) (*Consumer, error) {
	client, tracer, err := newClient(cfg, traces,
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(cfg.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
	)
	if err != nil {
		return nil, err
	}
	return &Consumer{client: client, tracer: tracer, cfg: cfg, handle: handle, log: log}, nil
}

// Ready tells whether Kafka answers.
func (c *Consumer) Ready(ctx context.Context) error { return c.client.Ping(ctx) }

// Run consumes until the context ends; records in hand are finished and committed then, and the group is left.
func (c *Consumer) Run(ctx context.Context) error {
	defer c.client.CloseAllowingRebalance()
	if err := ensureTopics(ctx, c.client, c.cfg, c.log); err != nil {
		return nil
	}
	wait := newBackoff(firstPause, maxPause)
	for ctx.Err() == nil {
		fetches := c.client.PollRecords(ctx, maxPoll)
		for _, failed := range fetches.Errors() {
			if ctx.Err() == nil {
				c.log.Warn("kafka fetch failed", "topic", failed.Topic, "partition", failed.Partition, "error", failed.Err)
			}
		}
		err := c.apply(ctx, fetches)
		c.client.AllowRebalance()
		if err == nil && len(fetches.Errors()) == 0 {
			wait.reset()
			continue
		}
		if ctx.Err() == nil {
			c.log.Warn("records not committed", "error", err)
			wait.pause(ctx)
		}
	}
	return nil
}

// apply handles what was fetched and commits it.
func (c *Consumer) apply(ctx context.Context, fetches kgo.Fetches) error {
	var partitions sync.WaitGroup
	var mu sync.Mutex
	var handled []*kgo.Record
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		partitions.Go(func() {
			done := c.applyPartition(ctx, p.Records)
			mu.Lock()
			defer mu.Unlock()
			handled = append(handled, done...)
		})
	})
	partitions.Wait()
	if len(handled) == 0 {
		return nil
	}
	// Also when stopping: what was applied need not come again.
	commit, cancel := context.WithTimeout(context.WithoutCancel(ctx), handleTimeout)
	defer cancel()
	return c.client.CommitRecords(commit, handled...)
}

// applyPartition handles records in order and returns those that are settled: all, unless the context ends.
func (c *Consumer) applyPartition(ctx context.Context, records []*kgo.Record) []*kgo.Record {
	for i, record := range records {
		if ctx.Err() != nil || c.settle(ctx, record) != nil {
			return records[:i]
		}
	}
	return records
}

// settle applies one record, or puts it on the DLQ. It fails only when the context ends.
func (c *Consumer) settle(ctx context.Context, record *kgo.Record) error {
	wait := newBackoff(firstPause, maxPause)
	for attempt := 1; ; attempt++ {
		err := c.try(ctx, record)
		switch {
		case err == nil:
			return nil
		case fault.Is(err, fault.Invalid):
			return c.bury(ctx, record, "invalid", attempt, err)
		case attempt == attempts:
			return c.bury(ctx, record, "failed", attempt, err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		c.log.WarnContext(ctx, "record will be tried again", "partition", record.Partition, "offset", record.Offset, "attempt", attempt, "error", err)
		wait.pause(ctx)
	}
}

// try makes one attempt, in a span that continues the trace in the record's headers. An attempt under way is finished even
// if the process is stopping.
func (c *Consumer) try(ctx context.Context, record *kgo.Record) (err error) {
	traced, span := c.tracer.WithProcessSpan(record)
	defer span.End()
	traced, cancel := context.WithTimeout(context.WithoutCancel(traced), handleTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			span.RecordError(errors.New("record not applied"))
		}
	}()
	return c.handle(traced, record)
}

// bury puts a record on the DLQ as it is, with headers that say why, and tries until Kafka has it.
func (c *Consumer) bury(ctx context.Context, record *kgo.Record, reason string, attempt int, cause error) error {
	c.log.ErrorContext(ctx, "record put on the DLQ", "reason", reason, "partition", record.Partition, "offset", record.Offset, "error", cause)
	dead := &kgo.Record{
		Topic: c.cfg.DLQ(), Key: record.Key, Value: record.Value,
		Headers: append(record.Headers[:len(record.Headers):len(record.Headers)],
			kgo.RecordHeader{Key: "dlq_reason", Value: []byte(reason)},
			kgo.RecordHeader{Key: "dlq_error", Value: []byte(safe(cause))},
			kgo.RecordHeader{Key: "dlq_topic", Value: []byte(record.Topic)},
			kgo.RecordHeader{Key: "dlq_partition", Value: strconv.AppendInt(nil, int64(record.Partition), 10)},
			kgo.RecordHeader{Key: "dlq_offset", Value: strconv.AppendInt(nil, record.Offset, 10)},
			kgo.RecordHeader{Key: "dlq_time", Value: []byte(record.Timestamp.UTC().Format(time.RFC3339Nano))},
			kgo.RecordHeader{Key: "dlq_attempts", Value: strconv.AppendInt(nil, int64(attempt), 10)},
		),
	}
	return c.client.ProduceSync(ctx, dead).FirstErr()
}

// safe gives what may be told of an error outside the log.
func safe(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return "an internal error"
}
