package stream

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// passing is for how long a failure isn't told that passes by itself, as Kafka says: a new cluster has none yet who coordinates groups.
const passing = 5 * time.Second

// cluster is the Kafka that a client works with: whether it answers, has the topics, and lets the client do its work.
type cluster struct {
	client *kgo.Client
	admin  *kadm.Client
	cfg    Config
	needs  needs
	log    *slog.Logger

	mu       sync.Mutex
	prepared bool      // ensure has ended well
	failed   error     // what ensure failed with last
	since    time.Time // of the first failure that passes by itself, since Kafka was last usable
	told     reasons   // what was logged since then
}

func newCluster(client *kgo.Client, cfg Config, needs needs, log *slog.Logger) *cluster {
	return &cluster{client: client, admin: kadm.NewClient(client), cfg: cfg, needs: needs, log: log, told: reasons{}}
}

// ready tells whether the client could do its work now. Why it couldn't is also logged, once; by ensure as long as that tries.
func (c *cluster) ready(ctx context.Context) error {
	c.mu.Lock()
	prepared := c.prepared // before it looks: what it sees may be older than what ensure does meanwhile
	c.mu.Unlock()
	found, err := c.look(ctx)
	if err == nil {
		err = c.allowed(ctx, found)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !prepared {
		return errors.Join(err, c.failed)
	}
	c.report(err)
	return err
}

// ensure creates the topic and its DLQ where they don't exist, and tries until the client can do its work or the context ends.
// Topics are never left to be created by themselves: those get the broker's defaults, and kfake loses them when it is killed.
func (c *cluster) ensure(ctx context.Context) error {
	for wait := newBackoff(100*time.Millisecond, 5*time.Second); ; {
		err := c.prepare(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if c.note(err); err == nil {
			return nil
		}
		wait.pause(ctx)
	}
}

// note keeps how an attempt of ensure ended.
func (c *cluster) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prepared, c.failed = err == nil, err
	c.report(err)
}

// prepare makes one attempt.
func (c *cluster) prepare(ctx context.Context) error {
	found, err := c.look(ctx)
	if err != nil {
		return err
	}
	existed := found.existing()
	if missing := found.missing(); len(missing) > 0 && c.cfg.CreateTopics {
		if found, err = c.create(ctx, missing); err != nil {
			return err
		}
	}
	if err := c.allowed(ctx, found); err != nil {
		return err
	}
	c.compare(ctx, existed)
	return nil
}

// report logs what keeps the client from its work. The caller holds the lock.
func (c *cluster) report(err error) {
	switch {
	case err == nil:
		c.since = time.Time{}
		c.told.over(c.log, "kafka is usable again")
	case errors.Is(err, context.Canceled), c.client.Context().Err() != nil: // nobody waits for the answer, or the client is closed
	case c.since.IsZero() && kerr.IsRetriable(err):
		c.since = time.Now()
	case kerr.IsRetriable(err) && time.Since(c.since) < passing:
	default:
		reason := why(err, c.cfg)
		c.told.tell(c.log.Error, "kafka is not usable", reason, reason)
	}
}
