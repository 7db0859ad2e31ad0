package registry

import (
	"slices"
	"time"
)

// maxHistory bounds the changes that are remembered, of all services.
const maxHistory = 8192

// Action says what became of an instance.
type Action int

const (
	// Added is new.
	Added Action = iota + 1
	// Modified says something else of itself, or somebody does of it.
	Modified
	// Removed is gone.
	Removed
)

// Event is one change, as it was seen here.
type Event struct {
	Action Action
	Time   time.Time
	// Revision is the store's after the change.
	Revision int64
	// Instance is as it was after the change, or before it if it was removed.
	Instance Instance
}

// history remembers the last changes, oldest first. What this registry loaded when it started was no change.
type history []Event

func (h *history) add(e Event) {
	if len(*h) >= maxHistory {
		*h = slices.Clone((*h)[maxHistory/2:])
	}
	*h = append(*h, e)
}

// History gives the changes since a time, oldest first, as many of them as are remembered.
func (r *Registry) History(since time.Time) []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	first, _ := slices.BinarySearchFunc(r.history, since, func(e Event, t time.Time) int { return e.Time.Compare(t) })
	return slices.Clone(r.history[first:])
}
