// Package load calls at times that are fixed beforehand, whether earlier calls have been answered or not (an open loop), and
// counts. A call that starts late, because the caller had no time for it, has waited since it was due: nothing that a user
// would have suffered is left out (coordinated omission).
package load

import (
	"context"
	"sync"
	"time"
)

// Call makes one call and tells which instance answered.
type Call func(ctx context.Context) (instance string, err error)

// Plan says how often and how patiently to call.
type Plan struct {
	// Rate is the calls per second.
	Rate int
	// Deadline is how long each call may take.
	Deadline time.Duration
	// Name gives what a failure is counted as: its code.
	Name func(error) string
}

// Run calls until the context ends, and returns when the last call has.
func Run(ctx context.Context, plan Plan, call Call) *Result {
	result := &Result{name: plan.Name, begin: time.Now(), Landed: map[string]int{}, Codes: map[string]int{}, When: map[int]int{}}
	var calls sync.WaitGroup
	for n := 0; waitUntil(ctx, result.begin.Add(due(n, plan.Rate))); n++ {
		at := due(n, plan.Rate)
		result.late(time.Since(result.begin) - at)
		calls.Go(func() {
			// The end of the load doesn't cut off the calls under way: they count.
			ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), result.begin.Add(at+plan.Deadline))
			defer cancel()
			instance, err := call(ctx)
			result.note(at, time.Since(result.begin)-at, instance, err)
		})
	}
	calls.Wait()
	return result
}

// due is when call number n is made, from the begin.
func due(n, rate int) time.Duration {
	return time.Duration(n/rate)*time.Second + time.Duration(n%rate)*time.Second/time.Duration(rate)
}

// waitUntil tells whether the time has come before the context has ended.
func waitUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
