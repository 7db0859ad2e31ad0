// Package events asks the Event service about events.
package events

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
)

// Part is what callers are told of when it doesn't answer.
const Part = "the Event service"

// retryAfter is when the caller may try again if nobody knows better.
const retryAfter = time.Second

// Client implements prospect.Events.
type Client struct{ events eventv1.EventServiceClient }

// New makes a client over the contract's, which has to bound the time of its calls: a caller is waiting for more than this answer.
func New(events eventv1.EventServiceClient) *Client { return &Client{events} }

// Exists tells whether there is an event with this id. If the Event service doesn't answer, the error says so: an answer is never
// made up.
func (c *Client) Exists(ctx context.Context, id string) (bool, error) {
	_, err := c.events.GetEvent(ctx, &eventv1.GetEventRequest{Id: id})
	switch {
	case err == nil:
		return true, nil
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
		return false, nil
	case fault.Is(err, fault.Canceled):
		return false, err
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout), fault.Is(err, fault.Exhausted):
		return false, away(err)
	case fault.Is(err, fault.Unauthenticated):
		// The caller's token has ended on the way here, or the issuer took back the key of ours, which is replaced then. Who
		// tries again gets through, or is told by our own guard what is wrong.
		return false, away(err)
	}
	// Anything else is between the two services, such as a role that ours lacks: not the caller's fault.
	return false, fmt.Errorf("ask the Event service: %v", err) //nolint:errorlint // its kind must not reach the caller
}

// away hands on when to try again: while the breaker is open, it knows.
func away(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return fault.Away(Part, cmp.Or(f.RetryAfter, retryAfter)).Because(err)
	}
	return fault.Away(Part, retryAfter).Because(err)
}
