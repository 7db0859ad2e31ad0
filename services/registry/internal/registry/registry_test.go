package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings have a grace of zero, which still has to be run to be over.
func settings() registry.Settings {
	return registry.Settings{Term: 10 * time.Second, MaxInstances: 100, MaxWatchers: 100}
}

// start gives a running registry.
func start(t testing.TB, s registry.Settings) *registry.Registry {
	t.Helper()
	r := registry.New(s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

func instance(service, id string) registry.Instance {
	return registry.Instance{Service: service, ID: id, Address: id + ":8080", Status: registry.Up}
}

func open(t testing.TB, r *registry.Registry) *registry.Session {
	t.Helper()
	s, err := r.Open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func join(t testing.TB, r *registry.Registry, i registry.Instance) *registry.Session {
	t.Helper()
	s := open(t, r)
	put(t, s, i)
	return s
}

func put(t testing.TB, s *registry.Session, i registry.Instance) {
	t.Helper()
	if err := s.Put(i); err != nil {
		t.Fatal(err)
	}
}

func watch(t testing.TB, r *registry.Registry, service string) *registry.Watch {
	t.Helper()
	w, err := r.Watch(service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func next(t testing.TB, w *registry.Watch) registry.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := w.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// quiet fails the test if the watch has news. What is visible is visible at once, so there is nothing to wait for.
func quiet(t testing.TB, w *registry.Watch) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := w.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("news: %v, error %v; want none", ids(s.Instances), err)
	}
}

func ids(instances []registry.Instance) []string {
	all := []string{}
	for _, i := range instances {
		all = append(all, i.Service+"/"+i.ID)
	}
	return all
}

func wantIDs(t testing.TB, got []registry.Instance, want ...string) {
	t.Helper()
	if !slices.Equal(ids(got), want) && len(got)+len(want) > 0 {
		t.Fatalf("instances %v, want %v", ids(got), want)
	}
}

func wantFault(t testing.TB, err error, kind fault.Kind) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind {
		t.Fatalf("error %v, want kind %d", err, kind)
	}
	return f
}

func wantField(t testing.TB, err error, field string) {
	t.Helper()
	f := wantFault(t, err, fault.Invalid)
	if len(f.Violations) != 1 || f.Violations[0].Field != field {
		t.Fatalf("violations %v, want one of %s", f.Violations, field)
	}
}

func TestListIsSortedByServiceAndID(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	for _, key := range [][2]string{{"prospect", "a"}, {"event", "c"}, {"event", "a"}, {"event", "b"}} {
		i := instance(key[0], key[1])
		if key[1] == "b" {
			i.Status = registry.OutOfService
		}
		join(t, r, i)
	}
	wantIDs(t, r.List(""), "event/a", "event/b", "event/c", "prospect/a")
	wantIDs(t, r.List("event"), "event/a", "event/b", "event/c")
	wantIDs(t, r.List("nobody"))
}

func TestNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	for field, spoil := range map[string]func(*registry.Instance){
		"instance.service": func(i *registry.Instance) { i.Service = "" },
		"instance.id":      func(i *registry.Instance) { i.ID = "" },
		"instance.address": func(i *registry.Instance) { i.Address = "" },
		"instance.status":  func(i *registry.Instance) { i.Status = 0 },
	} {
		i := instance("event", "a")
		spoil(&i)
		s := open(t, r)
		wantField(t, s.Put(i), field)
		s.Close()
	}
	wantIDs(t, r.List(""))
}

func TestTheFirstMessageCarriesTheInstanceWhichThenStaysTheSame(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	s := open(t, r)
	wantField(t, s.Renew(), "instance")
	put(t, s, instance("event", "a"))
	wantField(t, s.Put(instance("event", "b")), "instance.id")
	wantField(t, s.Put(instance("prospect", "a")), "instance.service")
	wantIDs(t, r.List(""), "event/a")
}

func TestTheCallersMapIsNotKept(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	i := instance("event", "a")
	i.Metadata = map[string]string{"version": "1"}
	join(t, r, i)
	i.Metadata["version"] = "2"
	if got := r.List("")[0].Metadata["version"]; got != "1" {
		t.Errorf("version %q, want 1", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	s := settings()
	s.MaxInstances, s.MaxWatchers = 2, 2
	r := start(t, s)
	first := join(t, r, instance("event", "a"))
	join(t, r, instance("event", "b"))
	third := open(t, r)
	if f := wantFault(t, third.Put(instance("event", "c")), fault.Exhausted); f.RetryAfter <= 0 {
		t.Error("it doesn't say when to try again")
	}
	put(t, third, instance("event", "b")) // passing from another session is not one more
	open(t, r)
	_, err := r.Open()
	wantFault(t, err, fault.Exhausted)
	first.Close()
	join(t, r, instance("event", "c"))

	watch(t, r, "event")
	w := watch(t, r, "nobody")
	_, err = r.Watch("event")
	wantFault(t, err, fault.Exhausted)
	w.Close()
	w.Close()
	watch(t, r, "event")
	_, err = r.Watch("event")
	wantFault(t, err, fault.Exhausted)
}

func TestStopEndsAllAndRemovesNothing(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	s := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	next(t, w)
	ended := make(chan error, 1)
	go func() { _, err := w.Next(context.Background()); ended <- err }()
	r.Stop()
	r.Stop()
	wantFault(t, <-ended, fault.Unavailable)
	<-s.Done()
	wantFault(t, s.Err(), fault.Unavailable)
	wantFault(t, s.Renew(), fault.Unavailable)
	wantFault(t, s.Put(instance("event", "a")), fault.Unavailable)
	s.Close()
	wantIDs(t, r.List(""), "event/a")
	_, err := r.Open()
	wantFault(t, err, fault.Unavailable)
	_, err = r.Watch("event")
	wantFault(t, err, fault.Unavailable)
}

// BenchmarkWatchFanout is one change until the last of 50 watchers has it.
func BenchmarkWatchFanout(b *testing.B) {
	for _, size := range []int{3, 1000} {
		b.Run(fmt.Sprintf("instances=%d", size), func(b *testing.B) { benchmarkFanout(b, size) })
	}
}

func benchmarkFanout(b *testing.B, size int) {
	const watchers = 50
	s := settings()
	s.MaxInstances = size
	r := start(b, s)
	var first *registry.Session
	for i := range size {
		first = join(b, r, instance("event", fmt.Sprint(i)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	seen, ended := make(chan struct{}), make(chan struct{})
	for range watchers {
		w := watch(b, r, "event")
		next(b, w)
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				if _, err := w.Next(ctx); err != nil {
					return
				}
				seen <- struct{}{}
			}
		}()
	}
	changed := instance("event", fmt.Sprint(size-1))
	for i := 0; b.Loop(); i++ {
		changed.Zone = fmt.Sprint(i)
		put(b, first, changed)
		for range watchers {
			<-seen
		}
	}
	cancel()
	for range watchers {
		<-ended
	}
}
