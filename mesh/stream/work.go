package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/trace"

	"eventprospect/mesh/fault"
)

// enqueue puts records into the lane of their partition, which is opened if need be.
func (c *Consumer) enqueue(ctx context.Context, fetched kgo.FetchPartition) {
	c.counts.received(len(fetched.Records))
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[fetched.Partition]
	if l == nil {
		l = newLane(fetched.Partition, newBackoff(c.shortest, c.longest))
		l.era = c.era
		ctx, l.stop = context.WithCancel(ctx)
		c.lanes[fetched.Partition] = l
		go c.run(ctx, l)
	}
	l.add(fetched.Records, fetched.HighWatermark)
	c.regulate(l)
	note(l.some)
}

// note leaves a note that there is something, unless there is one already.
func note(notes chan<- struct{}) {
	select {
	case notes <- struct{}{}:
	default:
	}
}

// regulate stops the fetching of a partition whose lane is full, and has it begin again when half of it is free.
func (c *Consumer) regulate(l *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	full, only := l.fill(c.room), map[string][]int32{c.cfg.Topic: {l.partition}}
	switch {
	case !l.paused && full >= 1:
		l.paused = true
		c.client.PauseFetchPartitions(only)
	case l.paused && full <= 0.5:
		l.paused = false
		c.client.ResumeFetchPartitions(only)
	}
}

// run works off a lane until the context ends. An attempt under way is finished. Burials are waited for by their own keys alone: the DLQ
// may be away for long.
func (c *Consumer) run(ctx context.Context, l *lane) {
	defer close(l.stopped)
	var burials sync.WaitGroup
	defer burials.Wait()
	for ctx.Err() == nil {
		items, wait := l.choose(time.Now())
		if len(items) == 0 {
			l.await(ctx, wait)
			continue
		}
		if items[0].doom == nil {
			items = c.attempt(ctx, l, items)
		}
		if len(items) > 0 {
			burials.Go(func() {
				c.bury(ctx, l, items)
				c.tell(ctx, l)
				note(l.some)
			})
		}
		c.tell(ctx, l)
	}
}

// tell says that something of a lane may be settled. When the lane has ended, its partition may be in another one.
func (c *Consumer) tell(ctx context.Context, l *lane) {
	if ctx.Err() == nil {
		c.regulate(l)
	}
	note(c.settled)
}

// attempt tries records once, does what is to be done with each, and returns those that are to go to the DLQ.
func (c *Consumer) attempt(ctx context.Context, l *lane, items []*item) (dead []*item) {
	// What was applied before it was ever tried alone says nothing: what it needs may have gone away since.
	if first := items[0]; len(items) == 1 && !first.alone {
		first.alone, first.seen = true, c.applied.Load()
	}
	results := c.try(items)
	applied := c.settleApplied(l, items, results)
	var away error
	var unreached []*item
	for n, i := range items {
		err := results[n]
		switch c.judge(i, err, len(items) == 1) {
		case doomed:
			dead = append(dead, i)
		case failed:
			l.hold(i, time.Now(), c.shortest, c.longest)
			if ctx.Err() == nil {
				c.log.WarnContext(inTrace(ctx, i.record), "record will be tried again",
					"partition", l.partition, "offset", i.record.Offset, "attempt", i.attempts, "error", err)
			}
		case unlucky:
			away, unreached = err, append(unreached, i)
		}
	}
	switch {
	case len(unreached) == 0:
	case applied > 0: // it may be them after all: each is tried alone
		for _, i := range unreached {
			l.hold(i, time.Now(), c.shortest, c.longest)
		}
	default:
		c.away.begin(away)
		l.retreat(unreached, time.Now())
	}
	return dead
}

// settleApplied settles what was applied, and tells how many that were.
func (c *Consumer) settleApplied(l *lane, items []*item, results []error) (applied int) {
	for n, i := range items {
		if results[n] == nil {
			l.settle(i)
			applied++
		}
	}
	if applied > 0 {
		c.applied.Add(uint64(applied))
		c.away.over()
		l.advance()
	}
	return applied
}

// fate is what becomes of a record after an attempt.
type fate int

const (
	succeeded fate = iota
	failed         // by its own fault; it is tried again
	unlucky        // not by its own fault, for all that is known; it is tried again
	doomed         // for good; it goes to the DLQ
)

// judge says what becomes of a record, which was tried alone or with others. That something is away is held against a record only if it was
// alone, and others were applied since it was tried so before.
func (c *Consumer) judge(i *item, err error, alone bool) fate {
	total := c.applied.Load()
	others := total > i.seen
	if alone { // what is tried with others meanwhile is tried alone next, and what was applied before it counts then
		i.seen = total
	}
	switch {
	case err == nil:
		return succeeded
	case isAway(err) && (!alone || !others):
		return unlucky
	}
	i.attempts++
	switch {
	case errors.Is(err, ErrNewer):
		i.doom = &doom{"newer", err}
	case fault.Is(err, fault.Invalid):
		i.doom = &doom{"invalid", err}
	case i.attempts >= c.attempts:
		i.doom = &doom{"failed", err}
	default:
		return failed
	}
	return doomed
}

// inTrace gives a context in the record's trace: what is logged and published on the way belongs to it.
func inTrace(ctx context.Context, record *kgo.Record) context.Context {
	return trace.ContextWithSpan(ctx, trace.SpanFromContext(record.Context))
}
