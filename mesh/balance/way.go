package balance

import (
	"context"
	"slices"
	"sync"
	"time"
)

// way is which instances one call has tried. A nil way is that of a call of which nothing is known.
type way struct {
	repeatable bool
	mu         sync.Mutex
	over       []*instance
}

type key struct{}

// NewContext returns the context for all attempts of one call: each goes to an instance that the call has not tried yet, if there
// is one. A repeatable call may be used to see whether an instance that was left out answers again.
func NewContext(ctx context.Context, repeatable bool) context.Context {
	return context.WithValue(ctx, key{}, &way{repeatable: repeatable})
}

func wayOf(ctx context.Context) *way {
	w, _ := ctx.Value(key{}).(*way)
	return w
}

// first tells whether the call has not been anywhere yet.
func (w *way) first() bool {
	if w == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.over) == 0
}

// overdue is how long a probe must have been due before this call is the one: who can't try elsewhere is the last that should.
func (w *way) overdue() time.Duration {
	if w != nil && w.repeatable {
		return 0
	}
	return maxProbe
}

func (w *way) tried(i *instance) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.over, i)
}

func (w *way) note(i *instance) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = append(w.over, i)
}
