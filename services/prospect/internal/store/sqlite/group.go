package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"

	"eventprospect/mesh/sqlite"
)

// groupSize bounds how many writes one transaction takes, and so how long the first of them waits for its commit.
const groupSize = 64

// errUnwritten is what a write ends with that didn't come to its end: it panicked, or whoever did it.
var errUnwritten = errors.New("not written")

// group is who wants to write. A commit costs more than what is in it, and waits for the disk: those who want to write at the same time
// share one.
type group struct {
	turn    chan struct{} // held by whoever commits
	mu      sync.Mutex
	waiting []*write
}

// write is what one caller wants to have written.
type write struct {
	ctx  context.Context
	do   func(*sql.Tx) error
	done chan struct{} // closed when the rest is known
	// refused is its own error within a transaction that others share, err the one for the caller.
	refused, err error
	panicked     any
}

func newGroup() *group { return &group{turn: make(chan struct{}, 1)} }

// Write is that of the database, but for a transaction that may be shared. It is all the same to a caller: what do writes is
// committed when Write returns without an error, and else is not there, whatever becomes of the others. Do may be called twice.
func (s *Store) Write(ctx context.Context, do func(*sql.Tx) error) error {
	w := &write{ctx: ctx, do: do, done: make(chan struct{}), err: errUnwritten}
	s.group.add(w)
	ended := ctx.Done()
	for {
		select {
		case <-w.done:
			return w.result()
		case s.group.turn <- struct{}{}:
			s.commit()
		case <-ended:
			if s.group.leave(w) {
				return sqlite.Fault(ctx, ctx.Err())
			}
			ended = nil // somebody is at it
		}
	}
}

// result is for the caller, whose panic isn't another's.
func (w *write) result() error {
	if w.panicked != nil {
		panic(w.panicked)
	}
	return w.err
}

func (g *group) add(w *write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, w)
}

// take takes those who have waited longest.
func (g *group) take() []*write {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupSize)
	taken := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return taken
}

// leave gives up waiting. It is too late once somebody has taken the write.
func (g *group) leave(w *write) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// commit writes for those who wait, and ends the turn. SQLite ends the whole transaction when a statement is interrupted, because its
// caller has gone, or finds the disk full: then each is written alone.
func (s *Store) commit() {
	writes := s.group.take()
	defer func() {
		for _, w := range writes {
			close(w.done)
		}
		<-s.group.turn
	}()
	if len(writes) > 1 && s.together(writes) {
		return
	}
	for _, w := range writes {
		w.err = s.DB.Write(w.ctx, w.guarded)
	}
}

// together writes for all in one transaction, and tells whether that was carried through: then each has its result.
func (s *Store) together(writes []*write) (through bool) {
	err := s.DB.Write(context.Background(), func(tx *sql.Tx) error {
		for _, w := range writes {
			if err := w.within(tx); err != nil {
				return err
			}
		}
		through = true
		return nil
	})
	for _, w := range writes {
		// If nothing was committed, an error of its own may have come from what others wrote.
		if w.err = err; err == nil {
			w.err = w.refused
		}
	}
	return through
}

// within makes a write a part of a transaction, which can be taken back. The error that it returns is the transaction's.
func (w *write) within(tx *sql.Tx) error {
	ctx := context.Background()
	if _, err := tx.ExecContext(ctx, `SAVEPOINT one`); err != nil {
		return err
	}
	if w.refused = sqlite.Fault(w.ctx, w.guarded(tx)); w.refused != nil {
		if _, err := tx.ExecContext(ctx, `ROLLBACK TO one`); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `RELEASE one`)
	return err
}

// guarded calls do, and keeps a panic for the caller.
func (w *write) guarded(tx *sql.Tx) (err error) {
	defer func() {
		if w.panicked = recover(); w.panicked != nil {
			err = errUnwritten
		}
	}()
	return w.do(tx)
}
