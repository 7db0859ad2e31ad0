package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/outbox"
)

const (
	// doneTries is how often the queue is told what is published, with pauses of some hundred milliseconds in all.
	doneTries = 4
	// contentType is that of every payload.
	contentType = "application/protobuf"
)

// publish publishes one batch and returns how many messages that were.
func (r *Relay) publish(ctx context.Context) (int, error) {
	since := time.Now()
	claimed, err := r.queue.Claim(ctx, r.owner, r.batch, r.lease)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	published, left, err := r.send(ctx, claimed, since)
	r.adapt(len(claimed), len(published), err)
	done := r.room.Remove(len(published), func() error { return r.done(ctx, published) })
	if len(left) > 0 {
		r.giveFree(ctx, left)
	}
	return len(published), errors.Join(err, done)
}

// adapt chooses how many messages are claimed next. Those of a partition go to Kafka as one, which the topic may find too large where it
// takes fewer. A single one that is too large must not keep others back.
func (r *Relay) adapt(claimed, published int, err error) {
	tooLarge := errors.Is(err, kerr.MessageTooLarge)
	switch {
	case isAnew(err): // the client has to begin anew, too
		r.client.PurgeTopicsFromProducing(r.cfg.Topic)
		r.batch = 1
		return
	case tooLarge && claimed == 1:
		r.most = relayBatch
	case tooLarge && published == 0:
		r.most = claimed / 2
	case published == 0:
		return
	}
	r.batch = r.most
}

// done tells the queue what Kafka has, also for a while if this process is stopping, and not once only: what isn't noted is published
// again.
func (r *Relay) done(ctx context.Context, published []outbox.Message) (err error) {
	ctx, cancel := lasting(ctx, stopPatience)
	defer cancel()
	wait := newBackoff(50*time.Millisecond, relayPoll)
	for range doneTries {
		if err = r.queue.Done(ctx, published); err == nil {
			return nil
		}
		wait.pause(ctx)
	}
	return err
}

// send has Kafka take messages while their lease is held, and tells which it has acknowledged. The client sends the records of a
// partition in their order. When it gives one up, it gives up all that come after it there, and so all of the same key.
func (r *Relay) send(ctx context.Context, claimed []outbox.Message, since time.Time) (published, left []outbox.Message, err error) {
	longer, cancel := lasting(ctx, stopPatience)
	defer cancel()
	held, release := r.hold(longer, claimed, since)
	defer release()
	results := make([]error, len(claimed))
	var acks sync.WaitGroup
	acks.Add(len(claimed))
	for i, m := range claimed {
		r.client.Produce(withTime(r.traces.WithTraceparent(held, m.Trace), m.Time), r.record(m), func(_ *kgo.Record, err error) {
			results[i] = err
			acks.Done()
		})
	}
	// It ends when each record has its answer or was given up, as it is when its own context ends.
	_ = r.client.Flush(context.WithoutCancel(ctx))
	acks.Wait()
	for i, failed := range results {
		if failed == nil {
			published = append(published, claimed[i])
			continue
		}
		left = append(left, claimed[i])
		err = failed
	}
	r.metrics.count(ctx, results)
	if cause := context.Cause(held); err != nil && cause != nil {
		err = cause
	}
	return published, left, err
}

// giveFree lets other relays have messages that this one could not publish.
func (r *Relay) giveFree(ctx context.Context, left []outbox.Message) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := r.queue.Renew(ctx, r.owner, left, 0); err != nil {
		r.told.tell(r.log.Warn, "claimed messages are not given free", same(err, r.cfg), err)
	}
}

// lasting gives a context that ends a while after this one: what is under way when the process stops can be finished, but what
// hangs doesn't hold up the stop.
func lasting(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(patience, cancel) })
	return longer, func() { unhook(); cancel() }
}

// record makes the Kafka record of a message. Its timestamp is that of its publication: the client counts the time for delivery
// from there, and a message may have waited long.
func (r *Relay) record(m outbox.Message) *kgo.Record {
	return &kgo.Record{
		Topic: r.cfg.Topic,
		Key:   []byte(m.Key),
		Value: m.Payload,
		Headers: []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_id", Value: []byte(m.ID)},
			{Key: "ce_type", Value: []byte(m.Type)},
			{Key: "ce_source", Value: []byte(r.source)},
			{Key: "ce_time", Value: []byte(m.Time.Format(time.RFC3339Nano))},
			{Key: "content-type", Value: []byte(contentType)},
		},
	}
}
