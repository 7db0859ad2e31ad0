package stream

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
)

const (
	// attempts is how often a record is tried that fails for a passing reason; with the pauses between them its
	// partition is held up for less than half a minute, or 5 s an attempt more if each one hangs.
	attempts   = 8
	firstPause = 50 * time.Millisecond
	maxPause   = 8 * time.Second
	// handleTimeout bounds one attempt.
	handleTimeout = 5 * time.Second
	// commitTimeout bounds a commit, also when stopping.
	commitTimeout = 2 * time.Second
	// commitEvery is how often offsets are committed at least, between two records, when there is much to do.
	commitEvery = time.Second
	// maxPoll bounds how many records are taken from the client at once.
	maxPoll = 500
	// maxWaiting is with how many records waiting a partition isn't fetched for a while.
	maxWaiting = 1000
	// fetchWait is how long the broker may hold an answer back until there is something; a partition that is fetched
	// again after a while has to wait for it.
	fetchWait = 500 * time.Millisecond
)

// Handle applies one record. It must be safe to call again with the same record. A fault of kind Invalid says that the record
// is bad and always will be, or, if ErrNewer is its cause, is for a newer program; any other error is taken to pass.
type Handle func(ctx context.Context, record *kgo.Record) error

// Consumer applies the records of a topic: those of one partition in order, partitions side by side. An offset is committed
// after its record was applied or put on the DLQ, so that no record is lost; one may come again.
type Consumer struct {
	client *kgo.Client
	kafka  *cluster
	tracer *kotel.Tracer
	cfg    Config
	handle Handle
	log    *slog.Logger
	// How often a record is tried, and the shortest and the longest pause between two attempts.
	attempts          int
	shortest, longest time.Duration

	mu    sync.Mutex
	lanes map[int32]*lane // by partition
}

// NewConsumer makes a consumer as a member of a group.
func NewConsumer(cfg Config, group string, handle Handle, tell Telemetry) (*Consumer, error) {
	c := &Consumer{
		cfg: cfg, handle: handle, log: tell.Log,
		attempts: attempts, shortest: firstPause, longest: maxPause, lanes: map[int32]*lane{},
	}
	var err error
	c.client, c.tracer, err = newClient(cfg, tell,
		kgo.ConsumerGroup(group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(fetchWait),
		// No partition is taken away between its records being polled and their being in its lane.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsRevoked(c.release),
		kgo.OnPartitionsLost(c.release),
	)
	if err != nil {
		return nil, err
	}
	c.kafka = newCluster(c.client, cfg, consuming(cfg, group), tell.Log)
	return c, nil
}

// Ready tells whether Kafka answers, has the topic and its DLQ, and lets the group read the one and write to the other.
func (c *Consumer) Ready(ctx context.Context) error { return c.kafka.ready(ctx) }

// Run consumes until the context ends; records in hand are finished and committed then, and the group is left.
func (c *Consumer) Run(ctx context.Context) error {
	defer c.client.CloseAllowingRebalance() // gives the partitions back, which ends their lanes
	if err := c.kafka.ensure(ctx); err != nil {
		return nil
	}
	// Only now: a client that looks for a topic that isn't there yet looks again a quarter of a second later.
	c.client.AddConsumeTopics(c.cfg.Topic)
	wait := newBackoff(c.shortest, c.longest)
	for ctx.Err() == nil {
		fetches := c.client.PollRecords(ctx, maxPoll)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) > 0 {
				c.enqueue(ctx, p.Partition, p.Records)
			}
		})
		c.client.AllowRebalance()
		if errs := fetches.Errors(); len(errs) > 0 && ctx.Err() == nil {
			c.log.Warn("kafka fetch failed", "partition", errs[0].Partition, "failures", len(errs), "error", errs[0].Err)
			wait.pause(ctx)
			continue
		}
		wait.reset()
	}
	return nil
}
