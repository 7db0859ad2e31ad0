package outbox

import (
	"context"
	"fmt"
	"sync"
)

// FullError refuses a message because too many wait.
type FullError struct {
	// Waiting is how many do.
	Waiting int
}

// Error implements error.
func (e *FullError) Error() string {
	return fmt.Sprintf("the outbox is full: %d messages wait", e.Waiting)
}

// Room bounds how many messages wait in an outbox. It is asked in memory: a relay looks at the outbox now and then, and the room
// counts what this process adds and removes between two looks. So this process alone never passes the bound. What other processes
// add comes with the next look, and may pass it by as much as they add until then.
type Room struct {
	max int

	mu    sync.Mutex
	found Backlog // by the last look
	looks int     // how often a look began or ended
	// adding is how many are being added, added how many were, ever, and counted how many of those the last look has surely
	// counted: the ones that were there when it began.
	adding, added, counted int
	removed                int // since the last look
}

// NewRoom makes the room for so many waiting messages; 0: any number.
func NewRoom(limit int) *Room { return &Room{max: limit} }

// Max is how many messages may wait; 0: any number.
func (r *Room) Max() int { return r.max }

// Add runs a change that adds one message, or fails with a FullError. A change that fails adds none.
func (r *Room) Add(change func() error) (err error) {
	if err := r.enter(); err != nil {
		return err
	}
	added := 0
	defer func() { r.leave(added) }()
	if err := change(); err != nil {
		return err
	}
	added = 1
	return nil
}

func (r *Room) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if waiting := r.waiting(); r.max > 0 && waiting >= r.max {
		return &FullError{Waiting: waiting}
	}
	r.adding++
	return nil
}

func (r *Room) leave(added int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.adding--
	r.added += added
}

// Remove runs what takes so many messages out of the outbox. If a look comes between, nobody knows whether it has counted them:
// they are taken to be there until the next one.
func (r *Room) Remove(count int, remove func() error) error {
	r.mu.Lock()
	looks := r.looks
	r.mu.Unlock()
	if err := remove(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.looks == looks {
		r.removed += count
	}
	return nil
}

// Look asks the outbox what waits.
func (r *Room) Look(ctx context.Context, queue Queue) error {
	r.mu.Lock()
	r.looks++
	before := r.added
	r.mu.Unlock()
	found, err := queue.Waiting(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks++
	if err != nil {
		return err
	}
	r.found, r.counted, r.removed = found, before, 0
	return nil
}

// Backlog is what waits as far as the room knows. Oldest is from the last look.
func (r *Room) Backlog() Backlog {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := r.waiting()
	if count == 0 {
		return Backlog{}
	}
	return Backlog{Count: count, Oldest: r.found.Oldest}
}

func (r *Room) waiting() int { return max(0, r.found.Count+r.adding+r.added-r.counted-r.removed) }
