package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/services/registry/internal/registry"
)

func announceIsSeen(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seenA, _ := Follow(t, a)
	seenB, _ := Follow(t, b)
	end := announce(t, a, registry.Node{Name: "x/ é", Run: "1"})
	seenA.UntilNode("x/ é", "1")
	seenB.UntilNode("x/ é", "1")
	later, _ := Follow(t, opened(t, open))
	later.UntilNode("x/ é", "1")
	end()
	seenA.UntilNode("x/ é", "")
	seenB.UntilNode("x/ é", "")
	later.UntilNode("x/ é", "")
}

// announceOfAnotherRun: a new run of a name is seen at once instead of the old one, whose end then says nothing of it.
func announceOfAnotherRun(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seen, _ := Follow(t, b)
	endOld := announce(t, a, registry.Node{Name: "n", Run: "old"})
	seen.UntilNode("n", "old")
	endNew := announce(t, b, registry.Node{Name: "n", Run: "new"})
	seen.UntilNode("n", "new")
	endOld()
	create(t, b, Sample("a")) // all that came before is seen
	seen.UntilNode("n", "new")
	for _, batch := range seen.since(0) {
		if len(batch.Silent) > 0 {
			t.Errorf("it was silent at revision %d", batch.Revision)
		}
	}
	endNew()
	seen.UntilNode("n", "")
}

func announceOfMany(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seen, _ := Follow(t, a)
	announce(t, a, registry.Node{Name: "n0", Run: "1"})
	end := announce(t, b, registry.Node{Name: "n1", Run: "1"})
	seen.UntilNode("n0", "1")
	seen.UntilNode("n1", "1")
	end()
	seen.UntilNode("n1", "")
	seen.UntilNode("n0", "1")
}

func cancelledContext(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	record := Sample("a")
	if err := s.Commit(ctx, registry.Change{Key: Key("a"), Record: &record}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: error %v, want the end of the context", err)
	}
	if err := s.Announce(ctx, registry.Node{Name: "n", Run: "1"}, time.Minute); err != nil {
		t.Errorf("announce: %v", err)
	}
	create(t, s, Sample("b"))
	if _, ok := seen.Get("a"); ok {
		t.Error("it was stored all the same")
	}
	seen.UntilNode("n", "")
}

func ping(t *testing.T, open func() registry.Store) {
	if err := opened(t, open).Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func restartKeepsEverything(t *testing.T, open func() registry.Store) {
	var want []registry.Record
	var last int64
	for restart := range 3 {
		s := open()
		seen, end := Follow(t, s)
		if diff := cmp.Diff(want, seen.All()); diff != "" {
			t.Fatalf("after restart %d:\n%s", restart, diff)
		}
		create(t, s, Sample("r"+string(rune('a'+restart))))
		if restart == 1 {
			commit(t, s, registry.Change{Key: Key("ra"), Known: seen.Must("ra").Revision})
		}
		if seen.at() <= last {
			t.Errorf("revision %d after %d", seen.at(), last)
		}
		last, want = seen.at(), seen.All()
		end()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
