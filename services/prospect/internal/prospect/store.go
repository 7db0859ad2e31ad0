package prospect

import (
	"context"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
)

// Store keeps prospects, and with each change the messages that tell of it, whose key is the prospect's id: all are kept, or none. Besides the faults
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

// InOrder puts prospects that a store has found into the order of the ids asked for. NotFound names the first that is missing.
func InOrder(found []Prospect, ids []string) ([]Prospect, error) {
	byID := make(map[string]Prospect, len(found))
	for _, p := range found {
		byID[p.ID] = p
	}
	ordered := make([]Prospect, len(ids))
	for i, id := range ids {
		p, ok := byID[id]
		if !ok {
			return nil, fault.Missing(Resource, id)
		}
		ordered[i] = p
	}
	return ordered, nil
}
