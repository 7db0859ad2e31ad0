package stream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/outbox"
	"eventprospect/mesh/telemetry"
)

const (
	// relayBatch is how many messages are published together.
	relayBatch = 500
	// relayLease is how long claimed messages are left alone by other relays. It is longer than a message can be under way
	// (deliveryTimeout and one attempt more), so that no two relays publish the same.
	relayLease = 30 * time.Second
	// relayPoll is the safety net: how long a message may lie whose wake-up was lost.
	relayPoll = time.Second
	// stopPatience is how long a stopping relay waits for the answers to what is under way.
	stopPatience = time.Second
	// contentType is that of every payload.
	contentType = "application/protobuf"
)

// Relay publishes what an outbox holds: every message at least once, those of one key in order.
type Relay struct {
	queue  outbox.Queue
	client *kgo.Client
	kafka  *cluster
	cfg    Config
	source string
	owner  string
	traces *telemetry.Traces
	log    *slog.Logger
	wake   chan struct{}
	poll   time.Duration
}

// NewRelay makes a relay for a queue. Source is the CloudEvents source of its messages: "/prospect".
func NewRelay(queue outbox.Queue, cfg Config, source string, tell Telemetry) (*Relay, error) {
	client, _, err := newClient(cfg, tell)
	if err != nil {
		return nil, err
	}
	return &Relay{
		queue: queue, client: client, kafka: newCluster(client, cfg, publishing(cfg), tell.Log), cfg: cfg, source: source, owner: uuid.NewString(),
		traces: tell.Traces, log: tell.Log, wake: make(chan struct{}, 1), poll: relayPoll,
	}, nil
}

// Wake tells the relay that a message was committed. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Ready tells whether Kafka answers, has the topic, and lets it be written to.
func (r *Relay) Ready(ctx context.Context) error { return r.kafka.ready(ctx) }

// Run publishes until the context ends. What is claimed but not published then is claimed again after a restart.
func (r *Relay) Run(ctx context.Context) error {
	defer r.client.Close()
	if err := r.kafka.ensure(ctx); err != nil {
		return nil
	}
	wait := newBackoff(50*time.Millisecond, relayPoll)
	for ctx.Err() == nil {
		published, err := r.publish(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.log.Warn("outbox not published", "error", err)
			wait.pause(ctx)
		case published == 0:
			wait.reset()
			r.idle(ctx)
		}
	}
	return nil
}

// idle waits for a wake-up, or for the poll.
func (r *Relay) idle(ctx context.Context) {
	timer := time.NewTimer(r.poll)
	defer timer.Stop()
	select {
	case <-r.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// publish publishes one batch and returns how many messages that were. The client sends the records of a key in the
// order of the batch, and holds back those after one that it could not send.
func (r *Relay) publish(ctx context.Context) (int, error) {
	claimed, err := r.queue.Claim(ctx, r.owner, relayBatch, relayLease)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	results := make([]error, len(claimed))
	var acks sync.WaitGroup
	longer, cancel := lasting(ctx)
	defer cancel()
	for i, m := range claimed {
		acks.Add(1)
		r.client.Produce(r.traces.WithTraceparent(longer, m.Trace), r.record(m), func(_ *kgo.Record, err error) {
			results[i] = err
			acks.Done()
		})
	}
	acks.Wait()
	var published []outbox.Message
	for i, m := range claimed {
		if results[i] != nil {
			err = fmt.Errorf("message %s: %w", m.ID, results[i])
			continue
		}
		published = append(published, m)
	}
	// What Kafka has must not be claimed again, even if this process is stopping.
	if failed := r.queue.Done(context.WithoutCancel(ctx), published); failed != nil {
		err = failed
	}
	return len(published), err
}

// lasting gives a context that ends a while after this one: what is under way when the process stops can be finished, but a
// broker that hangs doesn't hold up the stop.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(stopPatience, cancel) })
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
