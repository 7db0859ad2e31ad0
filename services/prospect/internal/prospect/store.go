package prospect

import (
	"context"
	"time"

	"eventprospect/mesh/outbox"
)

// Store keeps prospects, and with each change the message that tells of it: both are kept, or neither is. Besides the faults
// named, every method may fail with Unavailable when the database can't be reached, with the context's error, and with
// an error that is nobody's fault but ours.
type Store interface {
	// Create adds a prospect. AlreadyExists if its id is taken.
	Create(ctx context.Context, p Prospect, messages ...outbox.Message) error
	// Get returns the prospects with these ids, in this order. NotFound names the first that is missing.
	Get(ctx context.Context, ids ...string) ([]Prospect, error)
	// List returns prospects by time of creation, then id.
	List(ctx context.Context, q Query) ([]Prospect, error)
	// Count tells how many prospects match.
	Count(ctx context.Context, f Filter) (int, error)
	// Update changes one prospect through a function, alone: no other change comes between its reading and its writing. If
	// the function fails, nothing changes, and its error is returned. NotFound if there is no such prospect.
	Update(ctx context.Context, id string, change func(*Prospect) ([]outbox.Message, error)) (Prospect, error)
	// Delete removes one prospect if the function allows. NotFound if there is no such prospect.
	Delete(ctx context.Context, id string, remove func(Prospect) ([]outbox.Message, error)) error
}

// Filter selects prospects; an empty field selects all.
type Filter struct{ FiledWork, IDEvent string }

// Query asks for a part of the list of prospects.
type Query struct {
	Filter
	// After skips the list up to and including this place; the zero value skips nothing.
	After Place
	// Offset skips so many prospects more.
	Offset int
	// Limit is the most to return.
	Limit int
}

// Place is that of a prospect in the list.
type Place struct {
	Created time.Time
	ID      string
}
