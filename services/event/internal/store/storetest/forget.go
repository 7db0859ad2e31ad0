package storetest

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
)

// wantForgotten forgets messages that were applied before a time, of which there must be so many.
func wantForgotten(t *testing.T, s event.Store, want int, before time.Time, limit int) {
	t.Helper()
	if n, err := s.Forget(t.Context(), before, limit); err != nil || n != want {
		t.Errorf("forget: %d, error %v; want %d", n, err, want)
	}
}

// wantKnown holds which messages are known: their events don't come back after they were deleted. All others do.
func wantKnown(t *testing.T, s event.Store, all []event.Told, known ...event.Told) {
	t.Helper()
	for _, one := range all {
		remove(t, s, one.ID)
		want := 1
		if slices.Contains(known, one) {
			want = 0
		}
		wantApplied(t, s, want, one)
	}
}

// forgetTheOldestFirst has the message with the greatest id applied first.
func forgetTheOldestFirst(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(10)
	for i := range told {
		told[i].Created = now.Add(-time.Duration(i) * time.Microsecond)
	}
	wantApplied(t, s, 10, told...)
	wantForgotten(t, s, 0, told[9].Created, 100)
	wantForgotten(t, s, 4, told[2].Created, 4)
	wantKnown(t, s, told, told[:6]...)
}

// forgetNoneNewer forgets none that was applied at that time or later, however many it may.
func forgetNoneNewer(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(10)
	wantApplied(t, s, 10, told...)
	zone := time.FixedZone("far", 11*3600)
	wantForgotten(t, s, 7, told[7].Created.In(zone), 100)
	wantForgotten(t, s, 0, told[7].Created, 100)
	wantStored(t, s, eventsOf(told)...)
	wantKnown(t, s, told, told[7:]...)
}

// applyAfterForget has messages come again that were forgotten, among known ones and new ones.
func applyAfterForget(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(large)
	wantApplied(t, s, 1000, told[:1000]...)
	wantForgotten(t, s, 900, told[900].Created, 2000)
	changed, err := s.Update(t.Context(), told[3].ID, func(e *event.Event) error { e.Name, e.Version = "changed", 2; return nil })
	if err != nil {
		t.Fatal(err)
	}
	remove(t, s, told[950].ID)
	wantApplied(t, s, 100, told...)
	want := eventsOf(told)
	want[3] = changed
	wantStored(t, s, slices.Delete(want, 950, 951)...)
	// They are remembered again.
	remove(t, s, told[5].ID)
	wantApplied(t, s, 0, told...)
}

// applyAfterForgetAlone has it come in a batch of its own, as after a crash.
func applyAfterForgetAlone(t *testing.T, open func() Store) {
	s := opened(t, open)
	one := batch(1)
	wantApplied(t, s, 1, one...)
	wantForgotten(t, s, 1, one[0].Created.Add(time.Microsecond), 1)
	wantApplied(t, s, 0, one...)
	wantStored(t, s, one[0].Event)
	wantKnown(t, s, one, one...)
}

// applyRefusesAnothersID: what is there tells of something else, so that the message was not applied.
func applyRefusesAnothersID(t *testing.T, open func() Store) {
	s := opened(t, open)
	told := batch(3)
	told[1].ProspectID = "p"
	for name, change := range map[string]func(*event.Event){
		"planned":          func(e *event.Event) { e.Kind, e.ProspectID = event.Planned, "" },
		"another kind":     func(e *event.Event) { e.Kind = event.ProspectDeleted },
		"another prospect": func(e *event.Event) { e.ProspectID = "P" },
	} {
		taken := told[1].Event
		change(&taken)
		create(t, s, taken)
		_, err := s.Apply(t.Context(), told...)
		if !fault.Is(err, fault.AlreadyExists) {
			t.Errorf("%s: error %v, want AlreadyExists", name, err)
		}
		wantStored(t, s, taken)
		remove(t, s, taken.ID)
	}
	wantApplied(t, s, 3, told...)
}

// forgetBesideApply forgets messages while they come, for the first time and again.
func forgetBesideApply(t *testing.T, open func() Store) {
	s := opened(t, open)
	const size, batches = 50, 8
	told := batch(size * batches)
	var added atomic.Int32
	var all sync.WaitGroup
	for n := range batches {
		all.Go(func() {
			// Each batch overlaps the next one.
			mine := slices.Clone(told[n*size : min((n+2)*size, len(told))])
			for range 3 {
				rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				n, err := s.Apply(t.Context(), mine...)
				if err != nil {
					t.Error(err)
				}
				added.Add(int32(n))
			}
		})
		all.Go(func() {
			for range 5 {
				if _, err := s.Forget(t.Context(), told[len(told)-1].Created, 20*(n+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := added.Load(); int(n) != len(told) {
		t.Errorf("%d events were added, want %d", n, len(told))
	}
	wantStored(t, s, eventsOf(told)...)
}
