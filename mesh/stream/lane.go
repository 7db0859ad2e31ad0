package stream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"eventprospect/mesh/fault"
)

// lane holds the records of one partition that wait to be applied, and applies them one after the other. A record that
// has to be tried again holds up its own lane, no other.
type lane struct {
	partition int32
	stop      context.CancelFunc
	stopped   chan struct{}
	some      chan struct{} // has room for one note that something waits

	mu      sync.Mutex
	waiting []*kgo.Record
	paused  bool
}

// enqueue puts records into the lane of their partition, which is opened if need be.
func (c *Consumer) enqueue(ctx context.Context, partition int32, records []*kgo.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[partition]
	if l == nil {
		l = &lane{partition: partition, stopped: make(chan struct{}), some: make(chan struct{}, 1)}
		ctx, l.stop = context.WithCancel(ctx)
		c.lanes[partition] = l
		go c.run(ctx, l)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, records...)
	if len(l.waiting) >= maxWaiting {
		l.paused = true
		c.client.PauseFetchPartitions(c.only(partition))
	}
	select {
	case l.some <- struct{}{}:
	default:
	}
}

// take takes all that waits out of a lane, and has its partition fetched again.
func (c *Consumer) take(l *lane) []*kgo.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	records := l.waiting
	l.waiting = nil
	if l.paused {
		l.paused = false
		c.client.ResumeFetchPartitions(c.only(l.partition))
	}
	return records
}

func (c *Consumer) only(partition int32) map[string][]int32 {
	return map[string][]int32{c.cfg.Topic: {partition}}
}

// release ends the lanes of partitions that go to another member of the group, and returns when nothing is under way in
// them: what they have settled is committed, the rest is the other member's.
func (c *Consumer) release(_ context.Context, client *kgo.Client, taken map[string][]int32) {
	var ending []*lane
	c.mu.Lock()
	for _, partition := range taken[c.cfg.Topic] {
		if l := c.lanes[partition]; l != nil {
			ending = append(ending, l)
			delete(c.lanes, partition)
		}
	}
	c.mu.Unlock()
	for _, l := range ending {
		l.stop()
	}
	for _, l := range ending {
		<-l.stopped
	}
	client.ResumeFetchPartitions(taken) // for when they come back
}

// run applies what comes into a lane until the context ends.
func (c *Consumer) run(ctx context.Context, l *lane) {
	defer close(l.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.some:
		}
		for records := c.take(l); len(records) > 0 && ctx.Err() == nil; {
			settled := c.settleSome(ctx, records)
			c.commit(ctx, records[:settled])
			records = records[settled:]
		}
	}
}

// settleSome settles records in order until it is time to commit, and returns how many it has.
func (c *Consumer) settleSome(ctx context.Context, records []*kgo.Record) int {
	began := time.Now()
	for i, record := range records {
		if ctx.Err() != nil || (i > 0 && time.Since(began) > commitEvery) || c.settle(ctx, record) != nil {
			return i
		}
	}
	return len(records)
}

// commit commits records that are settled, also when stopping: they need not come again. If it fails, a later commit of the
// partition stands for this one, too.
func (c *Consumer) commit(ctx context.Context, settled []*kgo.Record) {
	if len(settled) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	last := settled[len(settled)-1]
	if err := c.client.CommitRecords(ctx, last); err != nil {
		c.log.Warn("offset not committed", "partition", last.Partition, "offset", last.Offset, "error", err)
	}
}

// settle applies one record, or puts it on the DLQ. It fails only when the context ends.
func (c *Consumer) settle(ctx context.Context, record *kgo.Record) error {
	// What is logged and published on the way belongs to the record's trace.
	ctx = trace.ContextWithSpan(ctx, trace.SpanFromContext(record.Context))
	wait := newBackoff(c.shortest, c.longest)
	for attempt := 1; ; attempt++ {
		err := c.try(record)
		switch {
		case err == nil:
			return nil
		case fault.Is(err, fault.Invalid):
			return c.bury(ctx, record, "invalid", attempt, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case attempt == c.attempts:
			return c.bury(ctx, record, "failed", attempt, err)
		}
		c.log.WarnContext(ctx, "record will be tried again", "partition", record.Partition, "offset", record.Offset, "attempt", attempt, "error", err)
		wait.pause(ctx)
	}
}

// try makes one attempt, in a span that continues the trace in the record's headers. An attempt under way is finished even
// if the process is stopping.
func (c *Consumer) try(record *kgo.Record) (err error) {
	traced, span := c.tracer.WithProcessSpan(record)
	defer span.End()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(traced), handleTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			span.RecordError(errors.New("record not applied"))
		}
	}()
	return c.handle(ctx, record)
}
