package registry_test

import (
	"testing"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

func TestWhatIsSetCountsWhileTheInstanceIsUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                     string
		reported, override, want registry.Status
	}{
		{"nothing set", registry.Up, 0, registry.Up},
		{"taken out", registry.Up, registry.OutOfService, registry.OutOfService},
		{"set to what it is", registry.Up, registry.Up, registry.Up},
		{"who is down can't be set up", registry.Down, registry.Up, registry.Down},
		{"nor who is starting", registry.Starting, registry.Up, registry.Starting},
		{"nor who is stopping", registry.OutOfService, registry.Up, registry.OutOfService},
	} {
		i := registry.Instance{Reported: c.reported, Override: c.override}
		if got := i.Status(); got != c.want {
			t.Errorf("%s: status %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAnInstanceIsTakenOutAndBackIn(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	s := join(t, r, instance("event", "a"))
	key := registry.Key{Service: "event", ID: "a"}
	w := watch(t, r, "event")
	next(t, w)
	set(t, r, key, registry.OutOfService)
	wantIDs(t, next(t, w))

	// What it says meanwhile doesn't change that, nor does another session.
	moved := instance("event", "a")
	moved.Zone = "z"
	put(t, s, moved)
	join(t, r, moved)
	quiet(t, w)
	if got, err := r.Get(key); err != nil || got.Zone != "z" || got.Status() != registry.OutOfService {
		t.Errorf("instance %+v, error %v; want it in z and out of service", got, err)
	}
	set(t, r, key, 0)
	wantIDs(t, next(t, w), "event/a")
}

func TestTheStatusOfNobodyAndNonsenseAreRefused(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	join(t, r, instance("event", "a"))
	_, err := r.SetStatus(t.Context(), registry.Key{Service: "event", ID: "b"}, registry.Down)
	wantFault(t, err, fault.NotFound)
	_, err = r.SetStatus(t.Context(), registry.Key{Service: "event", ID: "a"}, 99)
	wantField(t, err, "status")
	_, err = r.Get(registry.Key{Service: "nobody", ID: "a"})
	wantFault(t, err, fault.NotFound)
}

func set(t *testing.T, r *registry.Registry, key registry.Key, status registry.Status) {
	t.Helper()
	if _, err := r.SetStatus(t.Context(), key, status); err != nil {
		t.Fatal(err)
	}
}
