package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

// grouped has callers write at the same time, in this order, as one group, and gives the error of each.
func grouped(t *testing.T, s *Store, calls ...func() error) []error {
	t.Helper()
	errs, ended := make([]error, len(calls)), make(chan struct{})
	s.group.turn <- struct{}{} // nobody begins
	for i, call := range calls {
		go func() {
			defer func() { ended <- struct{}{} }()
			errs[i] = call()
		}()
		awaitWaiting(t, s, i+1)
	}
	<-s.group.turn
	for range calls {
		<-ended
	}
	return errs
}

func awaitWaiting(t *testing.T, s *Store, n int) {
	t.Helper()
	for t.Context().Err() == nil {
		s.group.mu.Lock()
		waiting := len(s.group.waiting)
		s.group.mu.Unlock()
		if waiting == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// creating creates a prospect and its message.
func creating(ctx context.Context, s *Store, id string) func() error {
	return func() error {
		m := outbox.Message{ID: "of " + id, Key: id, Time: time.UnixMicro(1), Payload: []byte{}}
		return s.Create(ctx, prospect.Prospect{ID: id}, m)
	}
}

// mustHold compares the number of prospects, and of messages, with what is wanted.
func mustHold(t *testing.T, s *Store, want int) {
	t.Helper()
	prospects, err := s.Count(t.Context(), prospect.Filter{})
	waiting, err2 := s.Waiting(t.Context())
	if err := errors.Join(err, err2); err != nil || prospects != want || waiting.Count != want {
		t.Errorf("%d prospects and %d messages, want %d: %v", prospects, waiting.Count, want, err)
	}
}

func openGroup(t *testing.T) *Store {
	t.Helper()
	s := engine(t)().(*Store)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestWritesAtTheSameTimeShareACommit: the second one sees what the first one wrote before anybody else does.
func TestWritesAtTheSameTimeShareACommit(t *testing.T) {
	t.Parallel()
	s := openGroup(t)
	var inside, outside int
	look := func() error {
		return s.Write(t.Context(), func(tx *sql.Tx) error {
			const count = `SELECT count(*) FROM prospects`
			return errors.Join(tx.QueryRow(count).Scan(&inside), s.QueryRow(t.Context(), count).Scan(&outside))
		})
	}
	calls := []func() error{creating(t.Context(), s, "first"), look}
	for i := range groupSize { // more than one transaction takes
		calls = append(calls, creating(t.Context(), s, fmt.Sprint(i)))
	}
	for i, err := range grouped(t, s, calls...) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if inside != 1 || outside != 0 {
		t.Errorf("%d prospects within the transaction and %d outside, want 1 and 0", inside, outside)
	}
	mustHold(t, s, 1+groupSize)
}

// TestOneThatFailsLeavesTheOthers: what it wrote before is not there, nor what it would have written after.
func TestOneThatFailsLeavesTheOthers(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	for name, bad := range map[string]func(ctx context.Context, s *Store) error{
		"a duplicate": func(ctx context.Context, s *Store) error {
			return creating(ctx, s, "a")()
		},
		"an error after a write": func(ctx context.Context, s *Store) error {
			return s.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.Exec(insertProspect, values(prospect.Prospect{ID: "bad"})...)
				return errors.Join(refused, err)
			})
		},
		"a panic after a write": func(ctx context.Context, s *Store) (err error) {
			defer func() { err, _ = recover().(error) }()
			return s.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.Exec(insertProspect, values(prospect.Prospect{ID: "bad"})...)
				panic(errors.Join(refused, err))
			})
		},
		"a statement that is interrupted because its caller goes": func(ctx context.Context, s *Store) error {
			return s.Write(ctx, func(tx *sql.Tx) error {
				ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
				defer cancel()
				_, err := tx.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
					INSERT INTO outbox (message_id, key, type, time, payload, trace) SELECT i, '', '', i, x'', '' FROM n`) // endless
				return errors.Join(refused, err)
			})
		},
		"the end of the transaction": func(ctx context.Context, s *Store) error {
			return s.Write(ctx, func(tx *sql.Tx) error {
				_, err := tx.Exec(`ROLLBACK`)
				return errors.Join(refused, err)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openGroup(t)
			errs := grouped(t, s, creating(t.Context(), s, "a"), func() error { return bad(t.Context(), s) }, creating(t.Context(), s, "b"))
			if errs[0] != nil || errs[2] != nil {
				t.Errorf("the others: %v, %v", errs[0], errs[2])
			}
			if !errors.Is(errs[1], refused) && !fault.Is(errs[1], fault.AlreadyExists) {
				t.Errorf("error %v", errs[1])
			}
			mustHold(t, s, 2)
		})
	}
}

// TestACommitThatFailsFailsForAll, also for those that failed by what the others wrote.
func TestACommitThatFailsFailsForAll(t *testing.T) {
	t.Parallel()
	s := openGroup(t)
	errs := grouped(t, s, creating(t.Context(), s, "a"), creating(t.Context(), s, "a"), func() error {
		return s.Write(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.Exec(`PRAGMA defer_foreign_keys = 1; CREATE TABLE child (parent TEXT REFERENCES prospects); INSERT INTO child VALUES ('none')`)
			return err
		})
	})
	for i, err := range errs {
		if err == nil || fault.Is(err, fault.AlreadyExists) {
			t.Errorf("%d: error %v, want that of the commit", i, err)
		}
	}
	mustHold(t, s, 0)
}

// TestWhoGoesWhileWaitingWritesNothing, and doesn't wait for its turn.
func TestWhoGoesWhileWaitingWritesNothing(t *testing.T) {
	t.Parallel()
	s := openGroup(t)
	s.group.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- creating(ctx, s, "a")() }()
	awaitWaiting(t, s, 1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	<-s.group.turn
	if err := creating(t.Context(), s, "b")(); err != nil {
		t.Error(err)
	}
	mustHold(t, s, 1)
}
