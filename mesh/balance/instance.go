package balance

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/balancer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// suspectFrom is how many attempts in a row must have failed before an instance is left out.
	suspectFrom = 3
	// firstProbe is how long after that one call is made to see whether it answers again. Each probe that fails doubles
	// the time to the next, up to maxProbe.
	firstProbe = time.Second
	maxProbe   = 10 * time.Second
)

// instance is what one connection has seen of an instance since it is connected.
type instance struct {
	out atomic.Bool // left out: the last attempts have all failed

	mu       sync.Mutex
	failures int           // in a row
	pause    time.Duration // between probes
	due      time.Time     // of the next probe
}

// probe tells whether a call is to be the probe, if that is overdue by so much; another is only after a pause.
func (i *instance) probe(overdue time.Duration) bool {
	if !i.out.Load() {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if time.Since(i.due) < overdue {
		return false
	}
	i.due = time.Now().Add(i.pause)
	return true
}

// note takes in how an attempt ended. Attempts that were under way when the instance was left out, and fail later, change nothing.
func (i *instance) note(d balancer.DoneInfo, probe bool) {
	end := outcomeOf(d)
	if end == provesNothing {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if end == answered {
		i.failures = 0
		i.out.Store(false)
		return
	}
	i.failures++
	switch {
	case i.failures < suspectFrom:
		return
	case !i.out.Swap(true):
		i.pause = firstProbe
	case probe:
		i.pause = min(2*i.pause, maxProbe)
	default:
		return
	}
	i.due = time.Now().Add(i.pause)
}

type outcome int

const (
	provesNothing outcome = iota
	answered
	failed
)

// outcomeOf says what the end of an attempt tells of the instance. Any answer is a sign of life, but for the two after which
// another one should be asked: that it can't, and that it didn't in time, whoever of the two noticed that first.
func outcomeOf(d balancer.DoneInfo) outcome {
	switch code := status.Code(d.Err); {
	case code == codes.Unavailable || code == codes.DeadlineExceeded:
		return failed
	case d.Err == nil || d.BytesReceived:
		return answered
	}
	return provesNothing
}
