// Package outbox describes a message that is stored together with the change it tells of, and published
// afterwards: the transactional outbox. A store that keeps entity and message in one atomic write, and a
// relay that publishes what it finds (package stream), make sure that a message is published if and
// only if its change was committed.
//
// This package knows nothing but the standard library: the domain may import it.
package outbox

import (
	"context"
	"time"
)

// Message is one message to publish.
type Message struct {
	// ID is unique, a UUID; a consumer recognises by it what it has had already.
	ID string
	// Key orders: messages of one key are published in the order in which they were stored.
	Key string
	// Type names what happened: the CloudEvents type.
	Type string
	// Time is when it happened.
	Time time.Time
	// Payload is the encoded message.
	Payload []byte
	// Trace is the W3C traceparent of the request that caused it; empty if there was none.
	Trace string
}

// Backlog is what waits to be published.
type Backlog struct {
	// Count is how many messages wait.
	Count int
	// Oldest is the time of the message that waits longest; zero if none waits.
	Oldest time.Time
}

// Queue is what a relay needs of a store.
type Queue interface {
	// Claim takes up to limit unpublished messages, of the oldest, for the owner and until the lease ends; those of one key are in
	// their order. It passes over messages of a key of which another owner holds an earlier one, so that a key's
	// order survives several relays. It returns what the same owner holds already, too: a relay asks again after a failure.
	Claim(ctx context.Context, owner string, limit int, lease time.Duration) ([]Message, error)
	// Renew has the lease of those messages that the owner still holds end so long from now; 0 gives them free.
	Renew(ctx context.Context, owner string, held []Message, lease time.Duration) error
	// Done says that these messages are published; they are never claimed again.
	Done(ctx context.Context, published []Message) error
	// Waiting tells what waits, claimed or not.
	Waiting(ctx context.Context) (Backlog, error)
}
