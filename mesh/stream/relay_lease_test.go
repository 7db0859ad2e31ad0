package stream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/outbox"
)

// leaseOfTests is short, to be renewed, or lost, while a test waits.
const leaseOfTests = 40 * time.Millisecond

func (q *queue) renewed() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.renewals
}

func (q *queue) givenFree() (ids []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range q.freed {
		ids = append(ids, m.ID)
	}
	return ids
}

func TestTheLeaseIsRenewedWhileMessagesAreUnderWay(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	asked, release := b.holdProduce()
	q.add(message("a", 1))
	relay := newRelay(t, b, q)
	relay.lease = time.Second
	start(t, relay.Run)
	<-asked
	eventually(t, "the lease is renewed, longer than it would last", func() bool { return q.renewed() > renewals })
	if _, done, claims := q.state(); done != 0 || claims != 1 {
		t.Errorf("%d done, %d claims", done, claims)
	}
	release()
	eventually(t, "the message is done", q.isEmpty)
	b.read(t, b.cfg.Topic, 1)
}

// TestALeaseIsHeldUntilItCannotBeRenewed counts the renewals, on a clock of the test's own: some may fail, but what isn't renewed
// is given up while it still is this relay's.
func TestALeaseIsHeldUntilItCannotBeRenewed(t *testing.T) {
	t.Parallel()
	const step = relayLease / renewals
	cases := map[string]struct {
		fails, renewals int
		lost            bool
	}{"none fails": {0, 10, false}, "three fail": {3, 10, false}, "four fail": {4, 4, true}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := &queue{renewFails: c.fails}
				began := time.Now()
				r := &Relay{queue: q, lease: relayLease}
				held, release := r.hold(t.Context(), []outbox.Message{message("a", 1)}, began)
				defer release()
				select {
				case <-held.Done():
				case <-time.After(10*step + step/2):
				}
				if lost := errors.Is(context.Cause(held), errLeaseLost); lost != c.lost || q.renewed() != c.renewals {
					t.Errorf("lost: %v, after %d renewals", lost, q.renewed())
				}
				if took := time.Since(began); c.lost && took != 5*step {
					t.Errorf("given up after %v", took)
				}
			})
		})
	}
}

// TestALeaseIsGivenUpInTimeAfterASlowClaim: between two renewals, as it began with the claim.
func TestALeaseIsGivenUpInTimeAfterASlowClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const step = relayLease / renewals
		began := time.Now()
		time.Sleep(step / 2)
		r := &Relay{queue: &queue{renewFails: 1000}, lease: relayLease}
		held, release := r.hold(t.Context(), []outbox.Message{message("a", 1)}, began)
		defer release()
		<-held.Done()
		if took := time.Since(began); took != 5*step {
			t.Errorf("given up after %v", took)
		}
	})
}

// TestASlowRenewalIsNotWaitedFor has a store that doesn't answer.
func TestASlowRenewalIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := &Relay{queue: silent{}, lease: relayLease}
		held, release := r.hold(t.Context(), nil, began)
		<-held.Done()
		if took := time.Since(began); took >= relayLease {
			t.Errorf("given up after %v, when the lease was over", took)
		}
		release()
	})
}

// silent is a store that answers no renewal.
type silent struct{ outbox.Queue }

func (silent) Renew(ctx context.Context, _ string, _ []outbox.Message, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestARelayThatLosesItsLeaseGivesUp has a store that renews nothing: what Kafka hasn't acknowledged isn't waited for, and given
// free.
func TestARelayThatLosesItsLeaseGivesUp(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{renewFails: 1000}
	asked, release := b.holdProduce()
	defer release()
	q.add(message("a", 1))
	relay := newRelay(t, b, q)
	relay.lease = leaseOfTests
	journal := &journalled{}
	relay.log = journal.logger()
	start(t, relay.Run)
	<-asked
	eventually(t, "the message is given free", func() bool { return len(q.givenFree()) == 1 })
	eventually(t, "the log says why", func() bool { return journal.has(errLeaseLost.Error()) })
	if _, done, _ := q.state(); done != 0 {
		t.Error("done, although Kafka never answered")
	}
}

func TestAStoppedRelayGivesFreeWhatItHolds(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	asked, release := b.holdProduce()
	defer release()
	q.add(message("a", 1), message("b", 2))
	relay := newRelay(t, b, q)
	relay.batch = relayBatch
	stop := start(t, relay.Run)
	<-asked
	stop()
	if got := q.givenFree(); len(got) != 2 {
		t.Errorf("%v are free, want both messages", got)
	}
}
