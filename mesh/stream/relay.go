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
	// relayPoll is the safety net: how long a message may lie whose wake-up was lost.
	relayPoll = time.Second
	// metadataPause is the shortest time between two looks at which broker leads which partition.
	metadataPause = 250 * time.Millisecond
	// stopPatience is how long a stopping relay waits for the answers to what is under way.
	stopPatience = time.Second
)

// Relay publishes what an outbox holds: every message at least once, those of one key in order.
type Relay struct {
	queue   outbox.Queue
	room    *outbox.Room
	client  *kgo.Client
	kafka   *cluster
	cfg     Config
	source  string
	owner   string
	traces  *telemetry.Traces
	metrics *relayMetrics
	log     *slog.Logger
	told    reasons
	wake    chan struct{}
	poll    time.Duration
	lease   time.Duration
	// batch is how many messages are claimed next. It is one until Kafka has taken one: a client that doesn't know the partitions yet
	// sends a record while those after it still wait for theirs, and if it fails, they are sent nevertheless.
	batch int
	// most is what batch grows to: less than relayBatch once so many together were too large for the topic.
	most int
}

// RelayOption changes how a relay works.
type RelayOption func(*Relay)

// WithRoom has the relay tell a room what waits in the outbox, and what it has published.
func WithRoom(room *outbox.Room) RelayOption { return func(r *Relay) { r.room = room } }

// NewRelay makes a relay for a queue. Source is the CloudEvents source of its messages: "/prospect".
func NewRelay(queue outbox.Queue, cfg Config, source string, tell Telemetry, options ...RelayOption) (*Relay, error) {
	r := &Relay{
		queue: queue, room: outbox.NewRoom(0), cfg: cfg, source: source, owner: uuid.NewString(), traces: tell.Traces, log: tell.Log,
		told: reasons{}, wake: make(chan struct{}, 1), poll: relayPoll, lease: relayLease,
		batch: 1, most: relayBatch,
	}
	for _, option := range options {
		option(r)
	}
	var err error
	if r.metrics, err = newRelayMetrics(tell.Metrics, cfg.Topic, r.room); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	r.client, _, err = newClient(cfg, tell,
		// Nothing is sent before all of a batch is handed over: else a record could fail while a later one of its key is still to be
		// handed over, and would be sent before it.
		kgo.ManualFlushing(),
		// The client looks for a partition's leader before it sends again what failed, but by default not within 5 s of the last time.
		kgo.MetadataMinAge(metadataPause),
		kgo.WithHooks(waited{}),
	)
	if err != nil {
		return nil, err
	}
	r.kafka = newCluster(r.client, cfg, publishing(cfg), tell.Log)
	return r, nil
}

// Wake tells the relay that a message was committed. It never blocks.
func (r *Relay) Wake() { note(r.wake) }

// Ready tells whether Kafka answers, has the topic, and lets it be written to.
func (r *Relay) Ready(ctx context.Context) error { return r.kafka.ready(ctx) }

// Run publishes until the context ends. What is claimed but not published then is given free.
func (r *Relay) Run(ctx context.Context) error {
	defer r.client.Close()
	var looking sync.WaitGroup
	looking.Go(func() { r.look(ctx) })
	defer looking.Wait()
	if err := r.kafka.ensure(ctx); err != nil {
		return nil
	}
	wait := newBackoff(50*time.Millisecond, relayPoll)
	for ctx.Err() == nil {
		published, err := r.publish(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.recover(ctx, err, wait)
		default:
			r.told.over(r.log, "outbox is published again")
			wait.reset()
			if published == 0 {
				r.idle(ctx)
			}
		}
	}
	return nil
}

// recover waits after a failure. As long as Kafka isn't usable nothing is claimed: it would be held for nothing.
func (r *Relay) recover(ctx context.Context, failed error, wait *backoff) {
	usable := true
	for r.kafka.ready(ctx) != nil && ctx.Err() == nil {
		usable = false
		wait.pause(ctx)
	}
	if usable && ctx.Err() == nil {
		r.told.tell(r.log.Warn, "outbox is not published", same(failed, r.cfg), failed)
		wait.pause(ctx)
	}
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
