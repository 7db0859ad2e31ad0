package event_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/sqlite"
)

// parts is a store that tells how many messages it forgot at each call.
type parts struct {
	event.Store
	forgot []int
	end    func() // is called after each
}

func (p *parts) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := p.Store.Forget(ctx, before, limit)
	p.forgot = append(p.forgot, n)
	p.end()
	return n, err
}

// remembering makes a service that applied so many messages 90 days ago and one a second later, on the day of the test.
func remembering(t *testing.T, old int) (*event.Service, *parts) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "event.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	p, at := &parts{Store: store, end: func() {}}, begin.Add(-90*24*time.Hour)
	s := event.NewService(p, func() string { return "" }, func() time.Time { return at })
	told := make([]event.Occurrence, old)
	for n := range told {
		told[n] = occurrence(n)
	}
	for _, told := range [][]event.Occurrence{told, {occurrence(old)}} {
		if _, err := s.Record(t.Context(), told...); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second)
	}
	at = begin.Add(time.Microsecond)
	return s, p
}

func occurrence(n int) event.Occurrence {
	return event.Occurrence{MessageID: fmt.Sprint("m", n), EventID: fmt.Sprint("e", n), Kind: event.ProspectCreated, ProspectID: "p", Time: begin}
}

func TestForgetPartByPart(t *testing.T) {
	t.Parallel()
	const old = 2500
	s, p := remembering(t, old)
	for _, want := range []int{old, 0} {
		if n, err := s.Forget(t.Context(), 90*24*time.Hour); err != nil || n != want {
			t.Errorf("forgot %d, error %v; want %d", n, err, want)
		}
	}
	if want := "[1000 1000 500 0]"; fmt.Sprint(p.forgot) != want {
		t.Errorf("parts %v, want %s", p.forgot, want)
	}
	// Only a message that was forgotten makes its event anew.
	for n, want := range map[int]int{0: 1, old - 1: 1, old: 0} {
		if err := s.Delete(t.Context(), fmt.Sprint("e", n), ""); err != nil {
			t.Fatal(err)
		}
		if added, err := s.Record(t.Context(), occurrence(n)); err != nil || added != want {
			t.Errorf("message %d: added %d, error %v; want %d", n, added, err, want)
		}
	}
}

func TestForgettingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	s, p := remembering(t, 1500)
	ctx, cancel := context.WithCancel(t.Context())
	p.end = cancel
	if n, err := s.Forget(ctx, 24*time.Hour); n != 1000 || !errors.Is(err, context.Canceled) {
		t.Errorf("forgot %d, error %v; want 1000 and the end", n, err)
	}
}
