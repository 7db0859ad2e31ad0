package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

func commitNew(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	create(t, s, Sample("a"), Sample("b"))
	if a, b := seen.Must("a"), seen.Must("b"); a.Revision <= 0 || b.Revision <= a.Revision {
		t.Errorf("revisions %d, %d; want them to grow", a.Revision, b.Revision)
	}
}

func commitKnown(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	create(t, s, Sample("a"))
	first := seen.Must("a")
	next := Sample("a")
	next.Instance.Zone = "other"
	commit(t, s, registry.Change{Key: Key("a"), Record: &next, Known: first.Revision})
	if got := seen.Must("a"); got.Instance.Zone != "other" || got.Revision <= first.Revision {
		t.Errorf("zone %q at revision %d, want the other one after %d", got.Instance.Zone, got.Revision, first.Revision)
	}
}

func commitRemoves(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	create(t, s, Sample("a"), Sample("b"))
	commit(t, s, registry.Change{Key: Key("a"), Known: seen.Must("a").Revision})
	if _, ok := seen.Get("a"); ok {
		t.Error("it is still there")
	}
	seen.Must("b")
	create(t, s, Sample("a")) // as if it had never been there
	seen.Must("a")
}

// removeNothing: what isn't there is as it should be.
func removeNothing(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	commit(t, s, registry.Change{Key: Key("a")})
	create(t, s, Sample("a"))
	seen.Must("a")
}

func staleIfAbsent(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	create(t, s, Sample("a"))
	known := seen.Must("a").Revision
	record := Sample("b")
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("b"), Record: &record, Known: known}))
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("b"), Known: known}))
	if _, ok := seen.Get("b"); ok {
		t.Error("it was stored")
	}
}

func staleIfPresent(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	create(t, s, Sample("a"))
	first := seen.Must("a")
	other := Sample("a")
	other.Instance.Zone = "other"
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("a"), Record: &other}))
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("a")}))
	if got := seen.Must("a"); got.Revision != first.Revision || got.Instance.Zone != first.Instance.Zone {
		t.Errorf("it has changed: %+v", got)
	}
}

func staleIfChanged(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	create(t, s, Sample("a"))
	first := seen.Must("a").Revision
	record := Sample("a")
	commit(t, s, registry.Change{Key: Key("a"), Record: &record, Known: first})
	second := seen.Must("a").Revision
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("a"), Record: &record, Known: first}))
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("a"), Known: first}))
	if got := seen.Must("a").Revision; got != second {
		t.Errorf("revision %d after %d", got, second)
	}
}

// commitWithoutFollower: nobody has to see a change.
func commitWithoutFollower(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	create(t, s, Sample("a"))
	record := Sample("a")
	wantStale(t, s.Commit(t.Context(), registry.Change{Key: Key("a"), Record: &record}))
	seen, end := Follow(t, s)
	seen.Must("a")
	end()
	create(t, s, Sample("b"))
}

// commitConcurrentAllApply counts up in one record, through two registries, from what each has seen.
func commitConcurrentAllApply(t *testing.T, open func() registry.Store) {
	const callers, each = 16, 25
	a, b := openedTwice(t, open)
	seenA, _ := Follow(t, a)
	seenB, _ := Follow(t, b)
	create(t, a, Sample("a"))
	seenB.UntilKnows("a")
	var all sync.WaitGroup
	for caller := range callers {
		s, seen := a, seenA
		if caller%2 == 1 {
			s, seen = b, seenB
		}
		all.Go(func() {
			for range each {
				if err := increment(t, s, seen); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	for _, seen := range []*Recorder{seenA, seenB} {
		seen.Until(fmt.Sprintf("has counted to %d", callers*each), func() bool {
			return seen.records[Key("a")].Instance.Metadata["count"] == strconv.Itoa(callers*each)
		})
	}
}

// increment tries until its change applies. Whatever was stale must have been seen by then, so no try repeats another.
func increment(t *testing.T, s registry.Store, seen *Recorder) error {
	tried := int64(-1)
	for {
		record := seen.Must("a")
		if record.Revision == tried {
			return fmt.Errorf("revision %d was stale, but is still what the follower knows", tried)
		}
		tried = record.Revision
		count, _ := strconv.Atoi(record.Instance.Metadata["count"])
		record.Instance.Metadata = map[string]string{"count": strconv.Itoa(count + 1)}
		err := s.Commit(t.Context(), registry.Change{Key: Key("a"), Record: &record, Known: record.Revision})
		if err == nil || !fault.Is(err, fault.Stale) {
			return err
		}
	}
}

func oneWinnerPerRevision(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seen, _ := Follow(t, a)
	create(t, a, Sample("a"))
	known := seen.Must("a").Revision
	var winners atomic.Int32
	var all sync.WaitGroup
	for caller := range 16 {
		s := a
		if caller%2 == 1 {
			s = b
		}
		all.Go(func() {
			record := Sample("a")
			record.Instance.Zone = strconv.Itoa(caller)
			err := s.Commit(t.Context(), registry.Change{Key: Key("a"), Record: &record, Known: known})
			if err == nil {
				winners.Add(1)
			} else if !fault.Is(err, fault.Stale) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d changes won, want 1", n)
	}
}
