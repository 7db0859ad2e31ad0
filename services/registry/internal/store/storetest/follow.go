package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// ownChangesAreSeenFirst: when Commit returns, the follower has seen the change, whatever else goes on.
func ownChangesAreSeenFirst(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seen, _ := Follow(t, a)
	var all sync.WaitGroup
	for caller := range 8 {
		all.Go(func() {
			for i := range 20 {
				create(t, b, Sample(fmt.Sprint("b", caller, "-", i)))
			}
		})
		all.Go(func() {
			for i := range 20 {
				id := fmt.Sprint("a", caller, "-", i)
				create(t, a, Sample(id))
				record := seen.Must(id)
				commit(t, a, registry.Change{Key: Key(id), Known: record.Revision})
				if _, ok := seen.Get(id); ok {
					t.Errorf("%s was removed, but the follower doesn't know", id)
				}
			}
		})
	}
	all.Wait()
}

// staleIsSeenFirst: so is what made a change stale, through the same registry.
func staleIsSeenFirst(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	for i := range 50 {
		id := fmt.Sprint(i)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				record := Sample(id)
				if err := s.Commit(t.Context(), registry.Change{Key: Key(id), Record: &record}); err != nil {
					wantStaleIn(t, err)
				}
				seen.Must(id)
			})
		}
		all.Wait()
	}
}

// staleIsSeenFirstByOthers has another registry create, change and remove what this one wants to change.
func staleIsSeenFirstByOthers(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seenA, _ := Follow(t, a)
	seenB, _ := Follow(t, b)
	for i := range 50 {
		id := fmt.Sprint(i)
		record := Sample(id)
		create(t, b, record)
		wantStale(t, a.Commit(t.Context(), registry.Change{Key: Key(id), Record: &record}))
		first := seenA.Must(id).Revision
		commit(t, b, registry.Change{Key: Key(id), Record: &record, Known: first})
		wantStale(t, a.Commit(t.Context(), registry.Change{Key: Key(id), Record: &record, Known: first}))
		second := seenA.Must(id).Revision
		if second != seenB.Must(id).Revision {
			t.Fatalf("revision %d, want that of the other registry", second)
		}
		commit(t, b, registry.Change{Key: Key(id), Known: second})
		wantStale(t, a.Commit(t.Context(), registry.Change{Key: Key(id), Record: &record, Known: second}))
		if _, ok := seenA.Get(id); ok {
			t.Fatal("it was removed, but the follower doesn't know")
		}
	}
}

// allSeeTheSame: whatever happens at once, all registries are told the same changes in the same order. That each is told once, in order
// and after the Load is what recorders check.
func allSeeTheSame(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seenA, _ := Follow(t, a)
	seenB, _ := Follow(t, b)
	from := max(seenA.at(), seenB.at())
	var all sync.WaitGroup
	for caller, s := range []registry.Store{a, b, a, b, a, b, a, b} {
		all.Go(func() {
			for i := range 25 {
				create(t, s, Sample(fmt.Sprint(caller, "-", i)))
			}
		})
	}
	all.Wait()
	create(t, a, Sample("last"))
	for _, seen := range []*Recorder{seenA, seenB} {
		seen.UntilKnows("last")
	}
	if diff := cmp.Diff(seenA.since(from), seenB.since(from), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("one was told something else than the other:\n%s", diff)
	}
	if n := len(seenA.All()); n != 201 {
		t.Errorf("%d records, want 201", n)
	}
}

// since gives what was told after a revision; what changed in one has no order.
func (r *Recorder) since(revision int64) []registry.Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	var batches []registry.Batch
	for _, b := range r.batches {
		if b.Revision > revision {
			b.Written = slices.SortedFunc(slices.Values(b.Written), func(x, y registry.Record) int {
				return slices.Compare([]string{x.Instance.ID}, []string{y.Instance.ID})
			})
			batches = append(batches, b)
		}
	}
	return batches
}

// loadGivesEverything has more records than some engine reads at once.
func loadGivesEverything(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	names := ids(2500)
	var all sync.WaitGroup
	for part := range slices.Chunk(names, 50) {
		all.Go(func() {
			for _, id := range part {
				record := Sample(id)
				if err := s.Commit(t.Context(), registry.Change{Key: Key(id), Record: &record}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	announce(t, s, registry.Node{Name: "n", Run: "1"})
	watching, end := Follow(t, s)
	watching.UntilNode("n", "1")
	end()
	seen, _ := Follow(t, s)
	var got []string
	for _, record := range seen.All() {
		got = append(got, record.Instance.ID)
	}
	if !slices.Equal(got, names) || len(seen.batches) > 0 || seen.nodes["n"].Run != "1" {
		t.Errorf("%d records, %d batches, nodes %v; want all in the load", len(got), len(seen.batches), seen.nodes)
	}
}

func followAgain(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	first, end := Follow(t, s)
	create(t, s, Sample("a"))
	end()
	create(t, s, Sample("b"))
	if _, ok := first.Get("b"); ok {
		t.Error("who doesn't follow any more was told")
	}
	second, _ := Follow(t, s)
	second.Must("a")
	second.Must("b")
	create(t, s, Sample("c"))
	second.Must("c")
}

func wantStaleIn(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Stale) {
		t.Errorf("error %v, want a fault of kind Stale", err)
	}
}
