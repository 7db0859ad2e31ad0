package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
)

// large is more rows than any engine puts into one statement.
const large = 1100

// tells is a message that tells of an event, which therefore isn't planned.
func tells(message string, e event.Event) event.Told {
	e.Kind = event.ProspectCreated
	return event.Told{MessageID: message, Event: e}
}

// batch gives so many messages, each of an event of its own.
func batch(size int) []event.Told {
	var told []event.Told
	for n := range size {
		told = append(told, tells(fmt.Sprintf("m%05d", n), sample(fmt.Sprintf("e%05d", n), n)))
	}
	return told
}

// wantApplied applies messages, of which so many must be new.
func wantApplied(t *testing.T, s event.Store, want int, told ...event.Told) {
	t.Helper()
	if added, err := s.Apply(t.Context(), told...); err != nil || added != want {
		t.Errorf("apply: added %d, error %v; want %d", added, err, want)
	}
}

func wantRestored(t *testing.T, s event.Store, want int, told ...event.Told) {
	t.Helper()
	if added, err := s.Restore(t.Context(), told...); err != nil || added != want {
		t.Errorf("restore: added %d, error %v; want %d", added, err, want)
	}
}

// wantStored holds that these events are there, as they are, and no others.
func wantStored(t *testing.T, s event.Store, want ...event.Event) {
	t.Helper()
	found, err := s.List(t.Context(), event.Query{Limit: 10 * large})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, found, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func eventsOf(told []event.Told) []event.Event {
	var events []event.Event
	for _, one := range told {
		events = append(events, one.Event)
	}
	return events
}

func remove(t *testing.T, s event.Store, id string) {
	t.Helper()
	if err := s.Delete(t.Context(), id, func(event.Event) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func applyOnce(t *testing.T, open func() Store) {
	s := opened(t, open)
	for _, want := range []int{1, 0, 0} {
		wantApplied(t, s, want, tells("m", sample("a", 0)))
	}
	// The message was applied: its event doesn't come back after it was deleted.
	remove(t, s, "a")
	wantApplied(t, s, 0, tells("m", sample("a", 0)))
}

func applyConcurrentOnce(t *testing.T, open func() Store) {
	s := opened(t, open)
	var added atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			n, err := s.Apply(t.Context(), tells("m", sample("a", 0)))
			if err != nil {
				t.Error(err)
			}
			added.Add(int32(n))
		})
	}
	all.Wait()
	if n := added.Load(); n != 1 {
		t.Errorf("the message was applied %d times, want 1", n)
	}
}

func applyErrorForgetsMessage(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0))
	_, err := s.Apply(t.Context(), tells("m", sample("a", 1)))
	wantFault(t, err, fault.AlreadyExists)
	wantApplied(t, s, 1, tells("m", sample("b", 2)))
}

func applyBatchAllOrNothing(t *testing.T, open func() Store) {
	s := opened(t, open)
	taken := sample("e00007", 99)
	create(t, s, taken)
	told := batch(10)
	_, err := s.Apply(t.Context(), told...)
	wantFault(t, err, fault.AlreadyExists)
	wantStored(t, s, taken)
	// Nor were the messages remembered.
	remove(t, s, taken.ID)
	wantApplied(t, s, 10, told...)
	wantStored(t, s, eventsOf(told)...)
}

func applyBatchWithRepeats(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(5)
	wantApplied(t, s, 5, append(slices.Clone(told), told[3], told[0], told[3])...)
	wantStored(t, s, eventsOf(told)...)
}

func applyBatchPartlyKnown(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(10)
	wantApplied(t, s, 4, told[3:7]...)
	remove(t, s, told[5].ID)
	wantApplied(t, s, 6, told...)
	wantApplied(t, s, 0, told...)
	wantStored(t, s, eventsOf(slices.Delete(told, 5, 6))...)
}

func applyLargeBatch(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(large)
	wantApplied(t, s, 700, told[:700]...)
	wantApplied(t, s, large-700, told...)
	wantStored(t, s, eventsOf(told)...)
}

// applyBatchesConcurrent has the same messages come in several batches at once, each time in another order.
func applyBatchesConcurrent(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(200)
	var added atomic.Int32
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			mine := slices.Clone(told[10*n : 100+10*n])
			rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
			n, err := s.Apply(t.Context(), mine...)
			if err != nil {
				t.Error(err)
			}
			added.Add(int32(n))
		})
	}
	all.Wait()
	if n := added.Load(); n != 170 {
		t.Errorf("%d messages were applied, want 170", n)
	}
	wantStored(t, s, eventsOf(told[:170])...)
}

func applyAndRestoreNothing(t *testing.T, open func() Store) {
	s := opened(t, open)
	wantApplied(t, s, 0)
	wantRestored(t, s, 0)
	wantStored(t, s)
}

func restoreWhatIsMissing(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(10)
	wantApplied(t, s, 5, told[:5]...)
	remove(t, s, told[2].ID)
	changed, err := s.Update(t.Context(), told[3].ID, func(e *event.Event) error { e.Name, e.Version = "changed", 2; return nil })
	if err != nil {
		t.Fatal(err)
	}
	wantRestored(t, s, 6, append(told, told[9])...)
	wantRestored(t, s, 0, told...)
	want := eventsOf(told)
	want[3] = changed
	wantStored(t, s, want...)
}

func restoreLargeBatch(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(large)
	wantRestored(t, s, large, told...)
	wantStored(t, s, eventsOf(told)...)
}

func restoreRemembersMessages(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(3)
	wantRestored(t, s, 3, told...)
	wantApplied(t, s, 0, told...)
	remove(t, s, told[1].ID)
	wantApplied(t, s, 0, told...)
}

// restoreBesideApply restores messages while they are applied for the first time.
func restoreBesideApply(t *testing.T, open func() Store) {
	s := opened(t, open)
	const size, batches = 50, 8
	told := batch(size * batches)
	var added atomic.Int32
	var all sync.WaitGroup
	for n := range batches {
		for _, do := range []func(mine []event.Told) (int, error){
			func(mine []event.Told) (int, error) { return s.Apply(t.Context(), mine...) },
			func(mine []event.Told) (int, error) { return s.Restore(t.Context(), mine...) },
		} {
			all.Go(func() {
				// Each batch overlaps the next one.
				mine := slices.Clone(told[n*size : min((n+2)*size, len(told))])
				rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				n, err := do(mine)
				if err != nil {
					t.Error(err)
				}
				added.Add(int32(n))
			})
		}
	}
	all.Wait()
	if n := added.Load(); int(n) != len(told) {
		t.Errorf("%d events were added, want %d", n, len(told))
	}
	wantStored(t, s, eventsOf(told)...)
}
