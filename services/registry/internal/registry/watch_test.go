package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/services/registry/internal/registry"
)

func TestWatchGivesWhatIsUpByIDAndThenEachChange(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	join(t, r, instance("event", "b"))
	w := watch(t, r, "event")
	wantIDs(t, next(t, w), "event/b")
	a := join(t, r, instance("event", "a"))
	wantIDs(t, next(t, w), "event/a", "event/b")
	draining := instance("event", "a")
	draining.Reported = registry.OutOfService
	put(t, a, draining)
	wantIDs(t, next(t, w), "event/b")
	wantIDs(t, r.List("event"), "event/a", "event/b")
	put(t, a, instance("event", "a"))
	wantIDs(t, next(t, w), "event/a", "event/b")
}

func TestWhatWatchesCannotSeeIsNotSent(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	a := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	next(t, w)
	if err := a.Renew(); err != nil {
		t.Fatal(err)
	}
	put(t, a, instance("event", "a"))
	join(t, r, instance("prospect", "a"))
	hidden := instance("event", "hidden")
	hidden.Reported = registry.OutOfService
	s := join(t, r, hidden)
	hidden.Zone = "z"
	put(t, s, hidden)
	s.Close()
	quiet(t, w)
}

func TestASlowWatchGetsOnlyTheNewestAndRevisionsGrow(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	a := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	last := update(t, w).Revision
	for i := range 20 {
		for zone := range 10 {
			changed := instance("event", "a")
			changed.Zone = fmt.Sprint(i, zone)
			put(t, a, changed)
		}
		s := update(t, w)
		if s.Revision <= last || s.Changed[0].Zone != fmt.Sprint(i, 9) {
			t.Fatalf("revision %d after %d, zone %q, want the newest", s.Revision, last, s.Changed[0].Zone)
		}
		quiet(t, w)
		last = s.Revision
	}
}

func TestRevisionsGrowFromOneRegistryToTheNext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var last int64
		for range 3 {
			r := start(t, settings())
			join(t, r, instance("event", "a"))
			revision := update(t, watch(t, r, "event")).Revision
			if revision <= last {
				t.Fatalf("revision %d after %d", revision, last)
			}
			last = revision
			time.Sleep(time.Second)
		}
	})
}

func TestASnapshotStaysAsItWas(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	a := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	before := update(t, w).Changed
	join(t, r, instance("event", "b"))
	a.Close()
	wantIDs(t, next(t, w), "event/b")
	wantIDs(t, before, "event/a")
}

func TestAFreshRegistryDoesNotCallAServiceEmptyBeforeTheGraceIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := settings()
		s.Grace = 5 * time.Second
		r := start(t, s)
		began := time.Now()
		nobody, event, draining := watch(t, r, "nobody"), watch(t, r, "event"), watch(t, r, "draining")
		quiet(t, nobody)
		quiet(t, event)

		join(t, r, instance("event", "a")).Close()
		wantIDs(t, next(t, event)) // it was there and went: that is news, not ignorance
		out := instance("draining", "a")
		out.Reported = registry.OutOfService
		s1 := join(t, r, out)
		quiet(t, draining) // the others are yet to come back

		wantIDs(t, next(t, nobody))
		wantIDs(t, next(t, draining))
		if after := time.Since(began); after != 5*time.Second {
			t.Errorf("answered after %v, want 5s", after)
		}
		wantIDs(t, next(t, watch(t, r, "unheard-of")))
		s1.Close()
	})
}

func TestAWatchIsToldOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	a := join(t, r, instance("event", "a"))
	join(t, r, instance("event", "b"))
	w := watch(t, r, "event")
	if u := update(t, w); !u.Reset || len(u.Changed) != 2 {
		t.Fatalf("first update %+v, want both instances and a reset", u)
	}
	join(t, r, instance("event", "c"))
	u := update(t, w)
	wantIDs(t, u.Changed, "event/c")
	if u.Reset || len(u.Removed) > 0 {
		t.Errorf("update %+v, want c alone", u)
	}
	a.Close()
	u = update(t, w)
	if u.Reset || len(u.Changed) > 0 || !slices.Equal(u.Removed, []registry.Key{{Service: "event", ID: "a"}}) {
		t.Errorf("update %+v, want a removed", u)
	}
}

func TestAWatchGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	join(t, r, instance("event", "a"))
	revision := update(t, watch(t, r, "event")).Revision
	again := resume(t, r, "event", revision)
	quiet(t, again)
	join(t, r, instance("prospect", "a"))
	quiet(t, again)
	join(t, r, instance("event", "b"))
	if u := update(t, again); u.Reset || len(u.Changed) != 1 || u.Changed[0].ID != "b" {
		t.Errorf("update %+v, want b alone", u)
	}
	missed := resume(t, r, "event", revision)
	if u := update(t, missed); u.Reset || len(u.Changed) != 1 {
		t.Errorf("update %+v, want what was missed", u)
	}
}

func TestWhoHasMissedTooMuchBeginsAnew(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	a := join(t, r, instance("event", "a"))
	revision := update(t, watch(t, r, "event")).Revision
	for i := range 5000 {
		changed := instance("event", "a")
		changed.Zone = fmt.Sprint(i)
		put(t, a, changed)
	}
	for name, unknown := range map[string]int64{"long ago": revision, "from another mesh": 1 << 62} {
		if u := update(t, resume(t, r, "event", unknown)); !u.Reset || len(u.Changed) != 1 || u.Changed[0].Zone != "4999" {
			t.Errorf("%s: update %+v, want everything", name, u)
		}
	}
}

func TestAWatchOfEverythingSeesEveryStatus(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	starting := instance("prospect", "a")
	starting.Reported = registry.Starting
	s := join(t, r, starting)
	join(t, r, instance("event", "a"))
	w := watch(t, r, "")
	wantIDs(t, next(t, w), "event/a", "prospect/a")
	down := starting
	down.Reported = registry.Down
	put(t, s, down)
	if u := update(t, w); len(u.Changed) != 1 || u.Changed[0].Status() != registry.Down {
		t.Errorf("update %+v, want the instance that is down", u)
	}
	s.Close()
	wantIDs(t, next(t, w), "event/a")
}

// Whatever happens at once, each watch ends up with what is there.
func TestWatchesAgreeWithTheListInTheEnd(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	var churn, watching sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 8 {
		w := watch(t, r, "event")
		watching.Go(func() {
			for last := int64(0); ; {
				s, err := w.Next(ctx)
				if err != nil || s.Revision <= last {
					t.Errorf("revision %d after %d, error %v", s.Revision, last, err)
					return
				}
				last = s.Revision
				w.take(s)
				if got := w.instances(); len(got) == 1 && got[0].ID == "last" {
					return
				}
			}
		})
	}
	for range 8 {
		churn.Go(func() {
			for range 200 {
				s := join(t, r, instance("event", fmt.Sprint(rand.IntN(5))))
				_ = s.Renew()
				s.Close()
			}
		})
	}
	churn.Wait()
	wantIDs(t, r.List(""))
	join(t, r, instance("event", "last"))
	watching.Wait()
}
