//go:build linux

package delivery

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Strike is one fault that struck.
type Strike struct {
	// Fault is its name.
	Fault string
	// At is when it struck, from the begin of the load; Took, how long until what it broke ran again.
	At, Took time.Duration
}

// trouble lets faults strike in turn.
type trouble struct {
	faults   []fault
	every    time.Duration
	seed     uint64
	progress io.Writer
	all      atomic.Bool // every fault has struck

	mu      sync.Mutex
	strikes []Strike
}

func newTrouble(o Options, faults []fault) *trouble {
	return &trouble{faults: faults, every: o.Every, seed: o.Seed, progress: o.Progress}
}

// complete tells whether each fault has struck at least once.
func (t *trouble) complete() bool { return len(t.faults) == 0 || t.all.Load() }

// run lets a fault strike, then the next, until quiet ends, and returns when what was broken runs again: the context of that is
// another. The next fault doesn't wait for this one to be over, but for the last one of its own kind.
func (t *trouble) run(ctx, quiet context.Context, w *world, calls *Calls) error {
	group, ctx := errgroup.WithContext(ctx)
	over := make([]chan struct{}, len(t.faults))
	began := time.Now()
	for n := 0; len(t.faults) > 0 && pause(quiet, t.every) && ctx.Err() == nil; n++ {
		kind := n % len(t.faults)
		if last := over[kind]; last != nil {
			select {
			case <-last:
			case <-quiet.Done():
				continue
			case <-ctx.Done():
				return group.Wait()
			}
		}
		done := make(chan struct{})
		over[kind] = done
		at := time.Since(began)
		fmt.Fprintf(t.progress, "%7.1fs  %-9s  %d acknowledged\n", at.Seconds(), t.faults[kind].name, calls.acknowledged())
		group.Go(func() error {
			defer close(done)
			return t.strike(ctx, w, n, at)
		})
		if n+1 == len(t.faults) {
			t.all.Store(true)
		}
	}
	return group.Wait()
}

// strike lets the fault strike whose turn it is.
func (t *trouble) strike(ctx context.Context, w *world, n int, at time.Duration) error {
	f, began := t.faults[n%len(t.faults)], time.Now()
	if err := f.strike(ctx, w, rand.New(rand.NewPCG(t.seed, uint64(n)))); err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.strikes = append(t.strikes, Strike{Fault: f.name, At: at, Took: time.Since(began)})
	return nil
}
