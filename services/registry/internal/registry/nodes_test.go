package registry_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

var (
	nodeA = registry.Node{Name: "a", Run: "1"}
	nodeB = registry.Node{Name: "b", Run: "1"}
)

func TestTwoRegistriesKnowTheSame(t *testing.T) {
	t.Parallel()
	store := memory.New()
	a, _ := startNode(t, settings(), store, nodeA)
	b, _ := startNode(t, settings(), store, nodeB)
	atB := watch(t, b, "event")
	next(t, atB)
	s := join(t, a, instance("event", "1"))
	wantIDs(t, next(t, atB), "event/1")
	atA := watch(t, a, "event")
	if update(t, atA).Revision != atB.Revision {
		t.Errorf("revision %d here and %d there", atA.Revision, atB.Revision)
	}
	quiet(t, resume(t, a, "event", atB.Revision))
	set(t, b, registry.Key{Service: "event", ID: "1"}, registry.OutOfService)
	wantIDs(t, next(t, atA))
	s.Close()
	wantIDs(t, b.List(""))
}

func TestAnInstanceTurnsToAnotherRegistryUnseen(t *testing.T) {
	t.Parallel()
	store := memory.New()
	a, _ := startNode(t, settings(), store, nodeA)
	b, _ := startNode(t, settings(), store, nodeB)
	older := join(t, a, instance("event", "1"))
	w := watch(t, a, "event")
	next(t, w)
	newer := join(t, b, instance("event", "1"))
	wantFault(t, older.Renew(), fault.AlreadyExists)
	older.Close()
	quiet(t, w)
	newer.Close()
	wantIDs(t, next(t, w))
}

func TestInstancesOfADeadRegistryHaveATermToTurnToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		a, kill := startNode(t, settings(), store, nodeA)
		b, _ := startNode(t, settings(), store, nodeB)
		join(t, a, instance("event", "alive"))
		join(t, a, instance("event", "dead"))
		kill()
		began := time.Now()
		time.Sleep(9 * time.Second)
		join(t, b, instance("event", "alive"))
		wantIDs(t, b.List(""), "event/alive", "event/dead")
		w := watch(t, b, "event")
		next(t, w)
		wantIDs(t, next(t, w), "event/alive")
		if after := time.Since(began); after < 10*time.Second || after > 12*time.Second {
			t.Errorf("removed after %v, want 10s to 12s", after)
		}
	})
}

func TestARegistryThatComesBackFindsAllAndGivesThemATerm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		a, kill := startNode(t, settings(), store, nodeA)
		join(t, a, instance("event", "alive"))
		join(t, a, instance("event", "dead"))
		kill()
		time.Sleep(time.Hour) // nobody's term runs out meanwhile
		again, _ := startNode(t, settings(), store, registry.Node{Name: "a", Run: "2"})
		w := watch(t, again, "event")
		wantIDs(t, next(t, w), "event/alive", "event/dead")
		time.Sleep(9 * time.Second)
		join(t, again, instance("event", "alive"))
		quiet(t, w)
		wantIDs(t, next(t, w), "event/alive")
	})
}

// A node that the store took for dead, though it lives, has its instances back.
func TestAnInstanceThatAnotherRegistryTookForDeadComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		a, _ := startNode(t, settings(), store, nodeA)
		s := join(t, a, instance("event", "1"))
		w := watch(t, a, "event")
		next(t, w)
		known, err := a.Get(registry.Key{Service: "event", ID: "1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Commit(t.Context(), registry.Change{Key: known.Key, Known: w.Revision}); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, next(t, w))
		wantIDs(t, next(t, w), "event/1")
		if err := s.Renew(); err != nil {
			t.Error(err)
		}
	})
}

// Whatever two registries do at once, they agree in the end, and nothing is left of who has gone.
func TestRegistriesAgreeInTheEnd(t *testing.T) {
	t.Parallel()
	store := memory.New()
	a, _ := startNode(t, settings(), store, nodeA)
	b, _ := startNode(t, settings(), store, nodeB)
	var churn sync.WaitGroup
	for worker := range 8 {
		churn.Go(func() {
			for i := range 100 {
				r := a
				if (i+worker)%2 == 0 {
					r = b
				}
				s := open(t, r)
				// A newer session may speak for it already.
				if err := s.Put(t.Context(), instance("event", fmt.Sprint(i%5))); err != nil && !fault.Is(err, fault.AlreadyExists) {
					t.Error(err)
				}
				s.Close()
			}
		})
	}
	churn.Wait()
	last := join(t, a, instance("event", "last"))
	wantSoon(t, a, "event/last")
	wantSoon(t, b, "event/last")
	last.Close()
}

// wantSoon waits until a registry lists nothing but these.
func wantSoon(t *testing.T, r *registry.Registry, want ...string) {
	t.Helper()
	w := watch(t, r, "")
	for got := ids(next(t, w)); fmt.Sprint(got) != fmt.Sprint(want); {
		got = ids(next(t, w))
	}
}
