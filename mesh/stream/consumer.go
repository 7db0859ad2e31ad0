package stream

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
)

const (
	// attempts is how often a record is tried that fails for a passing reason; with the pauses between them its key is held
	// up for less than half a minute, or 5 s an attempt more if each one hangs.
	attempts   = 8
	firstPause = 50 * time.Millisecond
	maxPause   = 8 * time.Second
	// handleTimeout bounds one attempt.
	handleTimeout = 5 * time.Second
	// commitTimeout bounds a commit, lastCommitTimeout one before partitions are given up.
	commitTimeout     = 2 * time.Second
	lastCommitTimeout = time.Second
	// drainPatience is how long a stopping consumer waits for the attempts under way before it cuts them off, cutOffPatience how long
	// after it. leaveTimeout bounds all that it does to end: it is less than a process has to stop.
	drainPatience  = 1500 * time.Millisecond
	cutOffPatience = 500 * time.Millisecond
	leaveTimeout   = 3500 * time.Millisecond
	// releaseTimeout bounds how long a partition that is given up waits for an attempt under way.
	releaseTimeout = handleTimeout + time.Second
	// maxPoll bounds how many records are taken from the client at once.
	maxPoll = 1000
	// fetchWait is how long the broker may hold an answer back until there is something; a partition that is fetched
	// again after a while has to wait for it.
	fetchWait = 500 * time.Millisecond
	// sessionTimeout is when the group takes a member for dead that says nothing, and gives its partitions to others. Brokers
	// take no less than 6 s by default; a pause of a few seconds, of the process or the network, must not look like death.
	sessionTimeout = 10 * time.Second
	// heartbeat is how often a member says that it lives, and so also how soon it hears that others come or go.
	heartbeat = time.Second
)

// Handle applies records, of which no two have the same key, and returns what became of each: nil if it was applied. No slice
// at all says that all were. It must be safe to call again with the same records. A fault of kind Invalid says that the record is
// bad and always will be, or, if ErrNewer is its cause, is for a newer program; a fault of kind Unavailable, or that the time is
// over, that what it needs is away, which is not the record's fault; any other error is taken to pass.
type Handle func(ctx context.Context, records []*kgo.Record) []error

// Consumer applies the records of a topic: those of one key in order, keys and partitions side by side. An offset is
// committed when all records before it were applied or put on the DLQ, so that no record is lost; one may come again.
type Consumer struct {
	client *kgo.Client
	hangUp context.CancelFunc // ends all that the client waits for
	kafka  *cluster
	tracer *kotel.Tracer
	cfg    Config
	handle Handle
	log    *slog.Logger
	counts *counts
	// How often a record is tried, and the shortest and the longest pause between two attempts.
	attempts          int
	shortest, longest time.Duration
	// room is how much may wait in one lane.
	room int

	// applied counts the records that were applied, by which a record that fails tells whether others don't.
	applied atomic.Uint64
	away    outage
	// troubles are for who polls alone.
	troubles troubles

	// draining ends a while after the consumer is told to stop.
	draining context.Context

	settled    chan struct{} // has room for one note that there may be something to commit
	committing sync.Mutex    // is held by who commits: an older commit must not come after a newer one
	era        int           // is another one when the topic was made anew; of lanes of older ones nothing is committed

	mu    sync.Mutex
	lanes map[int32]*lane // by partition
}

// NewConsumer makes a consumer as a member of a group.
func NewConsumer(cfg Config, group string, handle Handle, tell Telemetry) (*Consumer, error) {
	c := &Consumer{
		cfg: cfg, handle: handle, log: tell.Log, away: outage{log: tell.Log}, troubles: troubles{cfg, tell.Log, map[int32]reasons{}},
		attempts: attempts, shortest: firstPause, longest: maxPause, room: maxRoom,
		draining: context.Background(), settled: make(chan struct{}, 1), lanes: map[int32]*lane{},
	}
	var err error
	if c.counts, err = newCounts(tell.Metrics, cfg, group); err != nil {
		return nil, err
	}
	lifetime, hangUp := context.WithCancel(context.Background())
	c.hangUp = hangUp
	c.client, c.tracer, err = newClient(cfg, tell,
		kgo.WithContext(lifetime),
		kgo.ConsumerGroup(group),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(fetchWait),
		// No partition is taken away between its records being polled and their being in its lane.
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsRevoked(c.release),
		kgo.OnPartitionsLost(c.lose),
	)
	if err != nil {
		return nil, err
	}
	c.kafka = newCluster(c.client, cfg, consuming(cfg, group), tell.Log)
	return c, nil
}

// Ready tells whether Kafka answers, has the topic and its DLQ, and lets the group read the one and write to the other.
func (c *Consumer) Ready(ctx context.Context) error { return c.kafka.ready(ctx) }

// Run consumes until the context ends. What is under way then is finished, if it doesn't take long, and committed, and the group is left.
func (c *Consumer) Run(ctx context.Context) error {
	draining, cancel := lasting(ctx, drainPatience)
	defer cancel()
	c.draining = draining
	defer c.leave()
	if err := c.kafka.ensure(ctx); err != nil {
		return nil
	}
	unwatch, err := c.watchLag()
	if err != nil {
		return err
	}
	defer unwatch()
	var committer sync.WaitGroup
	defer committer.Wait()
	committer.Go(func() { c.commitSettled(ctx) })
	topic := identity{admin: c.kafka.admin, topic: c.cfg.Topic}
	topic.changed(ctx)
	// Only now: a client that looks for a topic that isn't there yet looks again a quarter of a second later.
	c.client.AddConsumeTopics(c.cfg.Topic)
	wait := newBackoff(c.shortest, min(c.longest, fetchPause))
	for ctx.Err() == nil {
		if c.poll(ctx) {
			wait.reset()
		} else {
			wait.pause(ctx)
		}
		if topic.changed(ctx) {
			c.beginAnew()
		}
	}
	return nil
}

// poll takes what the client has fetched, or waits for it, for a while, and puts it into the lanes. It tells whether that went well, or at least
// something came.
func (c *Consumer) poll(ctx context.Context) bool {
	waiting, cancel := context.WithTimeout(ctx, anewEvery)
	defer cancel()
	fetches := c.client.PollRecords(waiting, maxPoll)
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			c.enqueue(ctx, p.FetchPartition)
		}
	})
	c.client.AllowRebalance()
	return waiting.Err() != nil || c.troubles.note(fetches)
}

// leave gives the partitions back, which ends their lanes, and leaves the group, so that others take over at once. A Kafka that doesn't
// answer is left without a word: the client would wait for it, also to be closed.
func (c *Consumer) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, c.hangUp)()
	c.client.AllowRebalance()
	if err := c.client.LeaveGroupContext(ctx); err != nil {
		c.log.Warn("kafka group not left: others take over when the session ends", "session", sessionTimeout.String(), "error", err)
	}
	c.client.CloseAllowingRebalance()
}
