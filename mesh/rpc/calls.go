package rpc

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
)

// Calls says how long a client waits, and how often it tries again; docs/resilience.md says what is tried again at all.
type Calls struct {
	// Timeout bounds a unary call whose caller has set no deadline.
	Timeout time.Duration `koanf:"timeout"`
	// FirstAttempt is how long the first attempt of a repeatable call may take. Each further one may take twice as long as the
	// one before it, and the last all that is left of the call's time, so that a slow server answers in the end.
	FirstAttempt time.Duration `koanf:"first_attempt"`
	// Attempts bounds the attempts of one call, the first one included. 1: nothing is tried again.
	Attempts int `koanf:"attempts"`
	// RetryBurst is how many calls a connection may repeat while none succeeds. Then attempts aren't cut short any more, and
	// what fails isn't tried again. An instance that hangs costs one for each call that was under way there.
	RetryBurst int `koanf:"retry_burst"`
	// RetryRatio is how many more retries each call that succeeds allows.
	RetryRatio float64 `koanf:"retry_ratio"`
}

// maxAttempts is gRPC's own bound.
const maxAttempts = 5

// DefaultCalls fits calls that take some ten milliseconds, at some hundred of them a second.
func DefaultCalls() Calls {
	return Calls{Timeout: 10 * time.Second, FirstAttempt: 300 * time.Millisecond, Attempts: 4, RetryBurst: 500, RetryRatio: 0.1}
}

// Validate names every setting that can't work.
func (c Calls) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Timeout <= 0, "timeout: %v is not more than 0", c.Timeout)
	refuse(c.FirstAttempt <= 0, "first_attempt: %v is not more than 0", c.FirstAttempt)
	refuse(c.Attempts < 1 || c.Attempts > maxAttempts, "attempts: %d is not between 1 and %d", c.Attempts, maxAttempts)
	refuse(c.RetryBurst < 0, "retry_burst: %d is less than 0", c.RetryBurst)
	refuse(c.RetryRatio < 0 || c.RetryRatio > 1, "retry_ratio: %v is not between 0 and 1", c.RetryRatio)
	return errors.Join(errs...)
}

// WithCalls makes calls like this instead of like DefaultCalls.
func WithCalls(calls Calls) grpc.DialOption { return callsOption{calls: calls} }

// callsOption is for NewClient; to gRPC it says nothing.
type callsOption struct {
	grpc.EmptyDialOption
	calls Calls
}
