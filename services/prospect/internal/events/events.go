// Package events asks the Event service about events.
package events

import (
	"context"
	"fmt"
	"time"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
)

const (
	// timeout bounds one question: a caller is waiting for more than this answer.
	timeout = 2 * time.Second
	// retryAfter is when the caller may try again if there was no answer.
	retryAfter = time.Second
)

// Client implements prospect.Events.
type Client struct{ events eventv1.EventServiceClient }

// New makes a client over the contract's.
func New(events eventv1.EventServiceClient) *Client { return &Client{events} }

// Exists tells whether there is an event with this id. If the Event service doesn't answer, the error says so: an answer is never
// made up.
func (c *Client) Exists(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := c.events.GetEvent(ctx, &eventv1.GetEventRequest{Id: id})
	switch {
	case err == nil:
		return true, nil
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid):
		return false, nil
	case fault.Is(err, fault.Canceled):
		return false, err
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout), fault.Is(err, fault.Exhausted):
		return false, fault.Away("the Event service", retryAfter).Because(err)
	}
	// Anything else is between the two services, such as a role that ours lacks: not the caller's fault.
	return false, fmt.Errorf("ask the Event service: %v", err) //nolint:errorlint // its kind must not reach the caller
}
