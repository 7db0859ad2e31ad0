package sqlite

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/storetest"
)

func engine(t *testing.T) func() storetest.Store {
	path := filepath.Join(t.TempDir(), "event.db")
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

func TestForgetUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := engine(t)().(*Store)
	defer s.Close()
	if got := plan(t, s, forget, 1, 1000); !strings.Contains(got, "INDEX inbox_by_applied (applied<?)") || strings.Contains(got, "SCAN inbox") ||
		strings.Contains(got, "TEMP B-TREE") {
		t.Error(got)
	}
}

// plan tells how SQLite would run a statement.
func plan(t *testing.T, s *Store, text string, args ...any) string {
	t.Helper()
	rows, err := s.Query(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	return strings.Join(plan, "; ")
}

func opened(b *testing.B) *Store {
	b.Helper()
	s, err := Open(b.Context(), filepath.Join(b.TempDir(), "event.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func sample(n int) event.Event {
	now := time.Now().UTC()
	return event.Event{
		ID: fmt.Sprintf("%036d", n), Name: "Conference", Date: "2026-11-23", Kind: event.Planned,
		Created: now, Updated: now, Version: 1,
	}
}

func BenchmarkCreate(b *testing.B) {
	s := opened(b)
	for n := 0; b.Loop(); n++ {
		if err := s.Create(b.Context(), sample(n)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply applies messages that all are new.
func BenchmarkApply(b *testing.B) {
	s := opened(b)
	for n := 0; b.Loop(); n++ {
		if added, err := s.Apply(b.Context(), event.Told{MessageID: fmt.Sprint("m", n), Event: sample(n)}); err != nil || added != 1 {
			b.Fatal(added, err)
		}
	}
}

func BenchmarkBatches(b *testing.B) { storetest.BenchmarkBatches(b, opened(b)) }

func BenchmarkForget(b *testing.B) { storetest.BenchmarkForget(b, opened(b)) }
