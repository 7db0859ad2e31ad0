package event

import (
	"context"
	"time"
)

const (
	// forgetRows is how many messages are forgotten at once.
	forgetRows = 1000
	// Between two parts is a pause of forgetShare times what the last one took, and of at least forgetPause: who applies messages
	// meanwhile isn't held up, also where there are many to forget.
	forgetShare = 4
	forgetPause = 10 * time.Millisecond
)

// Forget forgets the messages that were applied longer ago than this, part by part. It tells how many it forgot, also if it fails.
func (s *Service) Forget(ctx context.Context, keep time.Duration) (forgotten int, err error) {
	before := s.time().Add(-keep)
	for {
		began := time.Now()
		n, err := s.store.Forget(ctx, before, forgetRows)
		forgotten += n
		if err != nil || n < forgetRows {
			return forgotten, err
		}
		timer := time.NewTimer(max(forgetPause, forgetShare*time.Since(began)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return forgotten, ctx.Err()
		}
	}
}
