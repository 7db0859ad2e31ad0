//go:build linux

package delivery

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"eventprospect/e2e/chaos/internal/load"
	"eventprospect/e2e/client"
)

const (
	// of each so many prospects one is changed, so many times: order can be judged by it.
	changedOf, changes = 10, 2
	// callPatience bounds how long one call may be repeated until it is acknowledged, retryPause is the time between two attempts.
	callPatience = 5 * time.Minute
	retryPause   = 50 * time.Millisecond
)

// Calls are what was asked for, and what was acknowledged. It is read when they have ended.
type Calls struct {
	client *client.Client
	runID  uuid.UUID
	begun  atomic.Int64
	acks   atomic.Int64

	mu sync.Mutex
	// versions are those that were acknowledged, by the prospect's id.
	versions map[string]int64
	took     []time.Duration
	retries  int
}

func newCalls(c *client.Client, o Options) *Calls {
	return &Calls{client: c, runID: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, o.Seed)), versions: make(map[string]int64, o.Prospects)}
}

// acknowledged is how many prospects were, so far.
func (c *Calls) acknowledged() int { return int(c.acks.Load()) }

// Retries is how many attempts were not acknowledged, of creations and changes.
func (c *Calls) Retries() int { return c.retries }

// Latency gives the time that so many percent of the creations took at most, from the first attempt to the acknowledgement.
func (c *Calls) Latency(percent int) time.Duration { return load.Percentile(c.took, percent) }

// run creates prospects, as many as were asked for and until the faults are complete.
func (c *Calls) run(ctx context.Context, o Options, complete func() bool) error {
	group, ctx := errgroup.WithContext(ctx)
	for range o.Workers {
		group.Go(func() error {
			for {
				n := int(c.begun.Add(1))
				if n > o.Prospects && complete() {
					return nil
				}
				if err := c.prospect(ctx, n); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// prospect creates one, and changes it if it is one of those.
func (c *Calls) prospect(ctx context.Context, n int) error {
	began := time.Now()
	var created struct{ ID string }
	// The same request id in each attempt: one whose outcome is not known is not done twice.
	path := "/v1/prospects?requestId=" + uuid.NewSHA1(c.runID, fmt.Append(nil, n)).String()
	body := fmt.Sprintf(`{"firstName": "Grace", "lastName": "Hopper %d", "filedWork": "compilers"}`, n)
	retries, err := c.insist(ctx, http.MethodPost, path, body, &created)
	if err != nil {
		return err
	}
	took := time.Since(began)
	c.acks.Add(1)
	version := int64(1)
	for change := 1; n%changedOf == 0 && change <= changes; change++ {
		// Of a change that is made again nothing comes: the field has that value.
		more, err := c.insist(ctx, http.MethodPatch, "/v1/prospects/"+url.PathEscape(created.ID), fmt.Sprintf(`{"filedWork": "languages %d"}`, change), nil)
		if err != nil {
			return err
		}
		retries += more
		version++
	}
	c.note(created.ID, version, took, retries)
	return nil
}

// broken names the promises that the answers themselves have broken.
func (c *Calls) broken() []string {
	if same := c.acknowledged() - len(c.versions); same != 0 {
		return []string{fmt.Sprintf("creations that got the id of another: %d, want 0", same)}
	}
	return nil
}

func (c *Calls) note(id string, version int64, took time.Duration, retries int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.versions[id] = version
	c.took = append(c.took, took)
	c.retries += retries
}

// insist repeats a call until it is acknowledged, and tells how often it had to. A refusal that no repetition would change is an
// error.
func (c *Calls) insist(ctx context.Context, method, path, body string, answer any) (retries int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	for ; ; retries++ {
		err := ask(ctx, c.client, client.Editor, method, path, body, answer)
		if err == nil {
			return retries, nil
		}
		if final(err) || !pause(ctx, retryPause) {
			return retries, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
}
