// Package inbox keeps the inbox, by which messages that come again are known, from growing for ever.
package inbox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"eventprospect/services/event/internal/event"
)

// every is about how often messages are forgotten. Each instance does it; their times differ at random, so that they seldom meet.
const every = time.Hour

// Cleaner forgets the messages that can't come again.
type Cleaner struct {
	events *event.Service
	keep   time.Duration
	log    *slog.Logger
}

// New makes a cleaner. A message is kept for so long after it was applied.
func New(events *event.Service, keep time.Duration, log *slog.Logger) *Cleaner {
	return &Cleaner{events, keep, log}
}

// Run forgets messages at once, and then about once an hour, until the context ends. What fails is tried again the next time.
func (c *Cleaner) Run(ctx context.Context) error {
	for {
		n, err := c.events.Forget(ctx, c.keep)
		if n > 0 {
			c.log.Info("old messages are forgotten", "messages", n)
		}
		if err != nil && ctx.Err() == nil {
			c.log.Warn("old messages are not forgotten", "error", err)
		}
		timer := time.NewTimer(every/2 + rand.N(every))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
