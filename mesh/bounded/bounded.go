// Package bounded runs the queries of a database with a deadline, tries again what lost against another one, and gives
// errors of a driver their kind. What differs from database to database are the Rules.
package bounded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"eventprospect/mesh/fault"
)

const (
	// Timeout bounds a query whose caller set no deadline, or a later one; waiting for a connection counts.
	Timeout = 5 * time.Second
	// Attempts is how often a query is tried that lost against another. In between it waits for a random time, so that two
	// don't meet again, of which the bound starts small and doubles.
	Attempts = 10
	minPause = 4 * time.Millisecond
	maxPause = 250 * time.Millisecond
	// RetryAfter is when a database that doesn't answer may be tried again.
	RetryAfter = time.Second
)

// Rules say what the errors of a driver mean.
type Rules struct {
	// Lost tells whether a transaction was ended by the database because of another one.
	Lost func(error) bool
	// Away tells whether the database has troubles of its own, or can't be reached.
	Away func(error) bool
}

// Run runs one query with a deadline and gives its error a kind. A query that lost against another is run again, so it must be
// safe to repeat.
func (r Rules) Run(ctx context.Context, query func(context.Context) error) error {
	bound, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	limit := minPause
	for attempt := 1; ; attempt++ {
		err := query(bound)
		if r.Lost(err) && attempt < Attempts && pause(bound, limit) {
			limit = min(2*limit, maxPause)
			continue
		}
		if err = r.Fault(ctx, err); err != nil && bound.Err() != nil && ctx.Err() == nil && !Decided(err) {
			return away(err) // it had its time; the caller has some left
		}
		return err
	}
}

// pause waits for a random time up to this limit; it tells whether there is time left.
func pause(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(rand.N(limit))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Fault gives an error of the driver its kind: the end of the context, or the database being away. Other errors stay as they are.
func (r Rules) Fault(ctx context.Context, err error) error {
	switch {
	case err == nil || Decided(err):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case r.Lost(err):
		return away(fmt.Errorf("lost %d times against others: %w", Attempts, err))
	case r.Away(err):
		return away(err)
	}
	return err
}

func away(cause error) error { return fault.Away("the database", RetryAfter).Because(cause) }

// Decided tells whether an error has its kind already.
func Decided(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}
