package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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
	wantIDs(t, next(t, w).Instances, "event/b")
	a := join(t, r, instance("event", "a"))
	wantIDs(t, next(t, w).Instances, "event/a", "event/b")
	draining := instance("event", "a")
	draining.Status = registry.OutOfService
	put(t, a, draining)
	wantIDs(t, next(t, w).Instances, "event/b")
	wantIDs(t, r.List("event"), "event/a", "event/b")
	put(t, a, instance("event", "a"))
	wantIDs(t, next(t, w).Instances, "event/a", "event/b")
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
	hidden.Status = registry.OutOfService
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
	last := next(t, w).Revision
	for i := range 20 {
		for zone := range 10 {
			changed := instance("event", "a")
			changed.Zone = fmt.Sprint(i, zone)
			put(t, a, changed)
		}
		s := next(t, w)
		if s.Revision <= last || s.Instances[0].Zone != fmt.Sprint(i, 9) {
			t.Fatalf("revision %d after %d, zone %q, want the newest", s.Revision, last, s.Instances[0].Zone)
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
			revision := next(t, watch(t, r, "event")).Revision
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
	before := next(t, w)
	join(t, r, instance("event", "b"))
	a.Close()
	wantIDs(t, next(t, w).Instances, "event/b")
	wantIDs(t, before.Instances, "event/a")
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
		wantIDs(t, next(t, event).Instances) // it was there and went: that is news, not ignorance
		out := instance("draining", "a")
		out.Status = registry.OutOfService
		s1 := join(t, r, out)
		quiet(t, draining) // the others are yet to come back

		wantIDs(t, next(t, nobody).Instances)
		wantIDs(t, next(t, draining).Instances)
		if after := time.Since(began); after != 5*time.Second {
			t.Errorf("answered after %v, want 5s", after)
		}
		wantIDs(t, next(t, watch(t, r, "unheard-of")).Instances)
		s1.Close()
	})
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
				if len(s.Instances) == 1 && s.Instances[0].ID == "last" {
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
