package rebuild

import (
	"context"
	"math/rand/v2"
	"time"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

const (
	// A batch is a transaction of a thousand rows: it may take longer than what the default of a call is for.
	batchTimeout = time.Minute
	batchAttempt = 15 * time.Second
	// firstPause and maxPause are between tries while the Event service is away, patience is how long it may be.
	firstPause = 200 * time.Millisecond
	maxPause   = 10 * time.Second
	patience   = 5 * time.Minute
)

// slow gives what calls with batches need.
func slow(calls rpc.Calls) rpc.Calls {
	calls.Timeout, calls.FirstAttempt = max(calls.Timeout, batchTimeout), max(calls.FirstAttempt, batchAttempt)
	return calls
}

// sender sends batches, and waits for the Event service where it is away.
type sender struct {
	client          eventv1.RestoreServiceClient
	pause, patience time.Duration
	say             func(format string, args ...any)
}

// send sends a batch until it is taken or refused. It may be sent twice, which changes nothing.
func (s sender) send(ctx context.Context, batch []*eventsv1.ProspectEvent) (*eventv1.RestoreEventsResponse, error) {
	began := time.Now()
	for pause := s.pause; ; pause = min(2*pause, maxPause) {
		answer, err := s.client.RestoreEvents(ctx, &eventv1.RestoreEventsRequest{Messages: batch})
		switch {
		case err == nil:
			return answer, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Timeout), time.Since(began) > s.patience:
			return nil, err
		}
		s.say("the Event service is away and will be tried again: %v", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause/2 + rand.N(pause)):
		}
	}
}
