package stream

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"eventprospect/mesh/fault"
)

// isAway tells whether it isn't the record that fails, but something that it needs doesn't answer, or not in time.
func isAway(err error) bool {
	return fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Timeout) || errors.Is(err, context.DeadlineExceeded)
}

// outage logs when what the records need goes away, and when it is back, once each.
type outage struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time
}

func (o *outage) begin(cause error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Error("records wait for what can't be reached", "error", cause)
	}
}

func (o *outage) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.log.Info("records are applied again", "waited", time.Since(o.since).Round(time.Millisecond).String())
		o.since = time.Time{}
	}
}
