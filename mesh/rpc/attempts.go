package rpc

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"eventprospect/mesh/balance"
)

const (
	// pauseAfter is the pause after a first attempt that was UNAVAILABLE; each further pause is twice as long, up to maxPauseAfter.
	pauseAfter    = 20 * time.Millisecond
	maxPauseAfter = 500 * time.Millisecond
	// patience is how long a server may ask to be left alone (RetryInfo) and still be tried again: one that asks for more, as
	// behind a breaker that is open, knows better.
	patience = 2 * time.Second
)

// attempts makes repeatable calls several times over, each time elsewhere, when the instance is away or doesn't answer in time.
// gRPC's own retries can't help against an instance that hangs: they know no deadline but the whole call's.
type attempts struct {
	calls      Calls
	repeatable methods
	budget     *budget
}

func newAttempts(calls Calls, repeatable methods) *attempts {
	return &attempts{calls: calls, repeatable: repeatable, budget: newBudget(calls)}
}

func (a *attempts) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	repeatable := a.repeatable[method] != nil
	ctx = balance.NewContext(ctx, repeatable)
	if !repeatable {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	limit, pause := a.calls.FirstAttempt, pauseAfter
	for n := 1; ; n++ {
		last := n == a.calls.Attempts
		cut, err := a.attempt(ctx, limit, last, func(ctx context.Context) error {
			return invoke(ctx, method, req, reply, cc, opts...)
		})
		if err == nil {
			a.budget.earn()
			return nil
		}
		if last || ctx.Err() != nil || !cut && !away(err) || !a.budget.spend() {
			return err
		}
		if !cut && !rest(ctx, pause) {
			return err
		}
		limit, pause = 2*limit, min(2*pause, maxPauseAfter)
		if m, ok := reply.(proto.Message); ok {
			proto.Reset(m) // an answer is never put together from two
		}
	}
}

// attempt makes the call once, and tells whether it was cut short. That doesn't happen to the last attempt, nor to one
// after which there would be no other.
func (a *attempts) attempt(ctx context.Context, limit time.Duration, last bool, call func(context.Context) error) (cut bool, err error) {
	if deadline, ok := ctx.Deadline(); last || ok && time.Until(deadline) <= limit || a.budget.empty() {
		return false, call(ctx)
	}
	end := time.Now().Add(limit)
	limited, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	err = call(limited)
	// The clock says it, not the context: the server has the same deadline, and may be heard a moment before our own timer.
	return status.Code(err) == codes.DeadlineExceeded && !time.Now().Before(end), err
}

// away tells whether a call may succeed elsewhere, or a little later.
func away(err error) bool {
	if exhausted(err) {
		return true
	}
	return status.Code(err) == codes.Unavailable && !leaveAlone(err)
}

// leaveAlone tells whether a status asks for more time than anybody should wait for it.
func leaveAlone(err error) bool {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration() > patience
		}
	}
	return false
}

// rest waits about that long, and not at all if the call's time would be over then.
func rest(ctx context.Context, pause time.Duration) bool {
	pause = time.Duration(float64(pause) * (0.8 + 0.4*rand.Float64())) // the spread of gRPC's own (gRFC A6)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= pause {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
