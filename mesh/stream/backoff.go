package stream

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff waits longer after each failure in a row, with jitter so that many don't try again together.
type backoff struct{ first, next, most time.Duration }

func newBackoff(first, most time.Duration) *backoff { return &backoff{first, first, most} }

func (b *backoff) reset() { b.next = b.first }

// take tells how long to wait this time.
func (b *backoff) take() time.Duration {
	pause := b.next/2 + rand.N(b.next/2+1)
	b.next = min(2*b.next, b.most)
	return pause
}

// pause waits, or returns early when the context ends.
func (b *backoff) pause(ctx context.Context) {
	timer := time.NewTimer(b.take())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
