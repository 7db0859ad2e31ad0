package discovery

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff waits longer after each failure in a row.
type backoff struct{ next time.Duration }

const (
	// firstPause is short: where there are several registries, another one may take over at once.
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

func (b *backoff) reset() { b.next = 0 }

// wait spreads the pauses by half, so that not all who lost the same registry come back at the same moment.
func (b *backoff) wait(ctx context.Context) {
	b.next = min(max(2*b.next, firstPause), maxPause)
	timer := time.NewTimer(b.next/2 + rand.N(b.next))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
