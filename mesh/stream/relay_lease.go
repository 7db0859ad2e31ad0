package stream

import (
	"context"
	"errors"
	"time"

	"eventprospect/mesh/outbox"
)

const (
	// relayLease is how long claimed messages are left alone by other relays. It is short, so that those of a relay that died are soon
	// free, and is renewed as long as messages are under way.
	relayLease = 6 * time.Second
	// renewals is into how many parts a lease is divided: it is renewed after each, and what isn't renewed is given up when the last one
	// begins. By as much the clocks of processes that share an outbox may differ.
	renewals = 6
)

// errLeaseLost is why messages are given up that Kafka may not have.
var errLeaseLost = errors.New("the lease of the messages could not be renewed")

// hold renews the lease of messages that were claimed at a time, until they are released. The context that it gives ends when the lease
// is nearly over and couldn't be renewed: what isn't acknowledged by then is soon another relay's.
func (r *Relay) hold(ctx context.Context, claimed []outbox.Message, since time.Time) (held context.Context, release func()) {
	held, cancel := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(r.lease / renewals)
		defer tick.Stop()
		for {
			until := since.Add(r.lease / renewals * (renewals - 1))
			select {
			case <-held.Done():
				return
			case <-tick.C:
			case <-time.After(time.Until(until)): // between two ticks, if the claim took its time
			}
			now := time.Now()
			if r.renew(held, claimed, until) == nil {
				since = now
			} else if !time.Now().Before(until) {
				cancel(errLeaseLost)
			}
		}
	}()
	return held, func() { cancel(nil); <-ended }
}

// renew renews once, if it can until then.
func (r *Relay) renew(ctx context.Context, claimed []outbox.Message, until time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.queue.Renew(ctx, r.owner, claimed, r.lease)
}
