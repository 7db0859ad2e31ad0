package registry_test

import (
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

var leased = registry.Key{Service: "event", ID: "leased"}

func register(t *testing.T, r *registry.Registry, term time.Duration) {
	t.Helper()
	if err := r.Register(t.Context(), instance(leased.Service, leased.ID), term); err != nil {
		t.Fatal(err)
	}
}

func renew(t *testing.T, r *registry.Registry) {
	t.Helper()
	if err := r.Renew(t.Context(), leased); err != nil {
		t.Fatal(err)
	}
}

func TestALeaseRunsOutAfterItsOwnTerm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings())
		register(t, r, 30*time.Second)
		time.Sleep(25 * time.Second)
		renew(t, r)
		time.Sleep(29 * time.Second)
		wantIDs(t, r.List(""), "event/leased")
		time.Sleep(3 * time.Second)
		wantIDs(t, r.List(""))
		wantFault(t, r.Renew(t.Context(), leased), fault.NotFound)
		wantFault(t, r.Cancel(t.Context(), leased), fault.NotFound)
	})
}

func TestALeaseIsRenewedAtAnyRegistry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		a, kill := startNode(t, settings(), store, nodeA)
		b, _ := startNode(t, settings(), store, nodeB)
		register(t, a, 30*time.Second)
		w := watch(t, b, "event")
		next(t, w)
		time.Sleep(20 * time.Second)
		renew(t, b)
		time.Sleep(20 * time.Second)
		quiet(t, w) // its term at the first registry is over
		kill()
		time.Sleep(5 * time.Second)
		renew(t, b)
		if err := b.Cancel(t.Context(), leased); err != nil {
			t.Fatal(err)
		}
		wantIDs(t, next(t, w))
	})
}

func TestALeaseOutlivesItsRegistry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		a, kill := startNode(t, settings(), store, nodeA)
		register(t, a, 30*time.Second)
		kill()
		again, _ := startNode(t, settings(), store, registry.Node{Name: "a", Run: "2"})
		time.Sleep(25 * time.Second)
		renew(t, again)
		time.Sleep(25 * time.Second)
		wantIDs(t, again.List(""), "event/leased")
		time.Sleep(10 * time.Second)
		wantIDs(t, again.List(""))
	})
}

func TestRegisteringAgainReplaces(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	register(t, r, time.Minute)
	set(t, r, leased, registry.OutOfService)
	again := instance(leased.Service, leased.ID)
	again.Zone = "z"
	if err := r.Register(t.Context(), again, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Get(leased); err != nil || got.Zone != "z" || got.Status() != registry.OutOfService {
		t.Errorf("instance %+v, error %v; want it in z, still out of service", got, err)
	}
}

func TestAnUpdateChangesALeasedInstanceAlone(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	register(t, r, time.Minute)
	w := watch(t, r, "event")
	next(t, w)
	got, err := r.Update(t.Context(), leased, func(i *registry.Instance) error {
		i.Metadata = map[string]string{"k": "v"}
		i.ID = "somebody else"
		return nil
	})
	if err != nil || got.Key != leased || next(t, w)[0].Metadata["k"] != "v" {
		t.Errorf("instance %+v, error %v", got, err)
	}
	_, err = r.Update(t.Context(), leased, func(*registry.Instance) error { return fault.InvalidField("k", "no") })
	wantField(t, err, "k")
	quiet(t, w)
	_, err = r.Update(t.Context(), leased, func(*registry.Instance) error { return nil })
	if err != nil {
		t.Error(err)
	}
	quiet(t, w)
}

func TestWhoSpeaksForItselfIsNotLeased(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	join(t, r, instance(leased.Service, leased.ID))
	wantFault(t, r.Register(t.Context(), instance(leased.Service, leased.ID), time.Minute), fault.Precondition)
	wantFault(t, r.Renew(t.Context(), leased), fault.Precondition)
	wantFault(t, r.Cancel(t.Context(), leased), fault.Precondition)
	_, err := r.Update(t.Context(), leased, func(*registry.Instance) error { return nil })
	wantFault(t, err, fault.Precondition)
}

func TestHistoryTellsWhatHappenedWhen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings())
		register(t, r, time.Minute)
		time.Sleep(time.Second)
		between := time.Now()
		set(t, r, leased, registry.Down)
		time.Sleep(time.Second)
		if err := r.Cancel(t.Context(), leased); err != nil {
			t.Fatal(err)
		}
		want := []registry.Action{registry.Added, registry.Modified, registry.Removed}
		all := r.History(time.Time{})
		for i, e := range all {
			if e.Action != want[i] || e.Instance.Key != leased || (i > 0 && e.Revision <= all[i-1].Revision) {
				t.Errorf("event %d: %+v", i, e)
			}
		}
		if len(all) != 3 || len(r.History(between)) != 2 || len(r.History(time.Now().Add(time.Second))) != 0 {
			t.Errorf("%d events, %d since between", len(all), len(r.History(between)))
		}
	})
}
