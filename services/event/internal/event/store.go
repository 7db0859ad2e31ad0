package event

import (
	"context"
	"slices"
	"strings"
	"time"

	"eventprospect/mesh/fault"
)

// Store keeps events of the years 1970 to 9999, whose text holds no U+0000: with such an id there is none, and none matches
// such a filter. Besides the faults named, every method may fail with Unavailable when the database can't be
// reached, with the context's error, and with an error that is nobody's fault but ours.
type Store interface {
	// Create adds an event. AlreadyExists if its id is taken.
	Create(ctx context.Context, e Event) error
	// Get returns the events with these ids, in this order. NotFound names the first that is missing.
	Get(ctx context.Context, ids ...string) ([]Event, error)
	// List returns events by time of creation, then id.
	List(ctx context.Context, q Query) ([]Event, error)
	// Count tells how many events match.
	Count(ctx context.Context, f Filter) (int, error)
	// Update changes one event through a function, alone: no other change comes between its reading and its writing. If the
	// function fails, nothing changes, and its error is returned. NotFound if there is no such event.
	Update(ctx context.Context, id string, change func(*Event) error) (Event, error)
	// Delete removes one event if the check allows. NotFound if there is no such event.
	Delete(ctx context.Context, id string, check func(Event) error) error
	// Apply adds the events that messages tell of, and remembers the messages, all as one: a message that was applied
	// already, or comes again among these, changes nothing. A message that was forgotten finds its event, which stays as it is,
	// and is remembered again. It tells how many events were added. AlreadyExists if the id of an event is taken by another one.
	Apply(ctx context.Context, told ...Told) (added int, err error)
	// Restore adds those of the events that are missing, whether or not their messages were applied, and remembers the messages, all
	// as one. Events that are there stay as they are. It tells how many were added.
	Restore(ctx context.Context, told ...Told) (added int, err error)
	// Forget forgets messages that were applied before this time, the oldest first and at most so many. It tells how many.
	Forget(ctx context.Context, before time.Time, limit int) (forgotten int, err error)
}

// Told is an event that a message tells of. The message counts as applied when the event was made.
type Told struct {
	MessageID string
	Event
}

// Became tells whether an event is the one that the message told of. What people may change of it doesn't count.
func (t Told) Became(e Event) bool {
	return t.ID == e.ID && t.Kind == e.Kind && t.ProspectID == e.ProspectID
}

// InTurn gives each message once, in the order of their ids: transactions that add rows in the same order don't wait for each other
// in a circle.
func InTurn(told []Told) []Told {
	told = slices.Clone(told)
	slices.SortStableFunc(told, func(a, b Told) int { return strings.Compare(a.MessageID, b.MessageID) })
	return slices.CompactFunc(told, func(a, b Told) bool { return a.MessageID == b.MessageID })
}

// AnyTaken says that the id of one of these events exists already.
func AnyTaken(told []Told) *fault.Error {
	if len(told) == 1 {
		return fault.Taken(Resource, told[0].ID)
	}
	return fault.New(fault.AlreadyExists, "one of %d events exists already", len(told))
}

// Filter selects events; an empty field selects all.
type Filter struct {
	Kind       Kind
	ProspectID string
	Date       string
}

// Query asks for a part of the list of events.
type Query struct {
	Filter
	// After skips the list up to and including this place; the zero value skips nothing.
	After Place
	// Offset skips so many events more.
	Offset int
	// Limit is the most to return.
	Limit int
}

// Place is that of an event in the list.
type Place struct {
	Created time.Time
	ID      string
}

// within gives a place that is the same to every event, of those that a store can compare with: a client may have made it up.
func (p Place) within() Place {
	first, last := time.Unix(0, 0).UTC(), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	switch {
	case p == Place{}:
	case p.Created.Before(first):
		return Place{Created: first}
	case p.Created.After(last):
		p.Created, p.ID = last, lastID
	}
	p.ID, _, _ = strings.Cut(p.ID, zero) // no id lies between the two
	return p
}

// lastID comes after every id, which is a UUID.
const lastID = "~"

// InOrder puts events that a store has found into the order of the ids asked for. NotFound names the first that is missing.
func InOrder(found []Event, ids []string) ([]Event, error) {
	byID := make(map[string]Event, len(found))
	for _, e := range found {
		byID[e.ID] = e
	}
	ordered := make([]Event, len(ids))
	for i, id := range ids {
		e, ok := byID[id]
		if !ok {
			return nil, fault.Missing(Resource, id)
		}
		ordered[i] = e
	}
	return ordered, nil
}
