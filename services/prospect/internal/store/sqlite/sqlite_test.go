package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/store/storetest"
)

func engine(t *testing.T) func() storetest.Store {
	path := filepath.Join(t.TempDir(), "prospect.db")
	return func() storetest.Store {
		s, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, engine)
}

// TestOpenReleasesWhatADeadProcessHeld: nobody waits for the lease of a relay that is gone.
func TestOpenReleasesWhatADeadProcessHeld(t *testing.T) {
	t.Parallel()
	open := engine(t)
	before := open()
	message := outbox.Message{ID: "m", Key: "a", Time: time.Now(), Payload: []byte{}}
	if err := before.Create(t.Context(), prospect.Prospect{ID: "a"}, message); err != nil {
		t.Fatal(err)
	}
	if held, err := before.Claim(t.Context(), "dead", 1, time.Hour); err != nil || len(held) != 1 {
		t.Fatalf("claimed %v, error %v", held, err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	after := open()
	defer after.Close()
	if got, err := after.Claim(t.Context(), "new", 1, time.Hour); err != nil || len(got) != 1 {
		t.Errorf("claimed %v, error %v; want the message", got, err)
	}
}

func TestListUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := engine(t)().(*Store)
	defer s.Close()
	for name, query := range storetest.Queries() {
		text, args := listQuery(query)
		if got := plan(t, s, text, args...); !strings.Contains(got, "USING INDEX") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func plan(t *testing.T, s *Store, text string, args ...any) string {
	t.Helper()
	rows, err := s.Query(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	return strings.Join(steps, "; ")
}

func opened(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "prospect.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func create(b *testing.B, s *Store, n int) {
	b.Helper()
	now := time.Now().UTC()
	p := prospect.Prospect{
		ID: fmt.Sprintf("%036d", n), Details: prospect.Details{FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT"},
		Created: now, Updated: now, Version: 1,
	}
	m := outbox.Message{ID: fmt.Sprint("m", n), Key: p.ID, Type: "created", Time: now, Payload: make([]byte, 100)}
	if err := s.Create(b.Context(), p, m); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCreate(b *testing.B) {
	s := opened(b)
	for n := 0; b.Loop(); n++ {
		create(b, s, n)
	}
}

// BenchmarkClaimDone claims and finishes messages one at a time, as an idle relay does.
func BenchmarkClaimDone(b *testing.B) {
	s := opened(b)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		create(b, s, n)
		b.StartTimer()
		claimed, err := s.Claim(b.Context(), "relay", 500, time.Minute)
		if err != nil || len(claimed) != 1 {
			b.Fatalf("claimed %d, %v", len(claimed), err)
		}
		if err := s.Done(b.Context(), claimed); err != nil {
			b.Fatal(err)
		}
	}
}
