package registry_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings have a grace of zero, which still has to be run to be over.
func settings() registry.Settings {
	return registry.Settings{Term: 10 * time.Second, MaxInstances: 100, MaxSize: 1000, MaxWatchers: 100}
}

// start gives a running registry, alone on a store.
func start(t testing.TB, s registry.Settings) *registry.Registry {
	t.Helper()
	r, _ := startNode(t, s, memory.New(), registry.Node{Name: "a", Run: "1"})
	return r
}

// startNode gives a running registry on a store, and what ends it as a kill does: nothing is told to anybody but the store.
func startNode(t testing.TB, s registry.Settings, store registry.Store, node registry.Node) (*registry.Registry, func()) {
	t.Helper()
	r := registry.New(s, store, node)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	if err := r.Loaded(ctx); err != nil {
		t.Fatal(err)
	}
	return r, stop
}

func instance(service, id string) registry.Instance {
	return registry.Instance{Key: registry.Key{Service: service, ID: id}, Address: id + ":8080", Reported: registry.Up}
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
	if err := s.Put(context.Background(), i); err != nil {
		t.Fatal(err)
	}
}

// view is a watch, and what it has told so far.
type view struct {
	*registry.Watch
	known    map[registry.Key]registry.Instance
	Revision int64
}

func watch(t testing.TB, r *registry.Registry, service string) *view {
	t.Helper()
	return resume(t, r, service, 0)
}

func resume(t testing.TB, r *registry.Registry, service string, revision int64) *view {
	t.Helper()
	w, err := r.Watch(service, revision)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return &view{Watch: w, known: map[registry.Key]registry.Instance{}}
}

// take adds an update to what is known.
func (v *view) take(u registry.Update) {
	if u.Reset {
		clear(v.known)
	}
	for _, i := range u.Changed {
		v.known[i.Key] = i
	}
	for _, key := range u.Removed {
		delete(v.known, key)
	}
	v.Revision = u.Revision
}

// instances gives what is known, by service and id.
func (v *view) instances() []registry.Instance {
	return slices.SortedFunc(maps.Values(v.known), func(a, b registry.Instance) int { return a.Compare(b.Key) })
}

// update waits for the next update.
func update(t testing.TB, v *view) registry.Update {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	u, err := v.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v.take(u)
	return u
}

// next waits for the next update, and gives all that is known then.
func next(t testing.TB, v *view) []registry.Instance {
	t.Helper()
	update(t, v)
	return v.instances()
}

// quiet fails the test if the watch has news. What is visible is visible at once, so there is nothing to wait for.
func quiet(t testing.TB, v *view) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if u, err := v.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("news: %v, removed %v, error %v; want none", ids(u.Changed), u.Removed, err)
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
			i.Reported = registry.OutOfService
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
		"instance.status":  func(i *registry.Instance) { i.Reported = 0 },
	} {
		i := instance("event", "a")
		spoil(&i)
		s := open(t, r)
		wantField(t, s.Put(t.Context(), i), field)
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
	wantField(t, s.Put(t.Context(), instance("event", "b")), "instance.id")
	wantField(t, s.Put(t.Context(), instance("prospect", "a")), "instance.service")
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
	if f := wantFault(t, third.Put(t.Context(), instance("event", "c")), fault.Exhausted); f.RetryAfter <= 0 {
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
	_, err = r.Watch("event", 0)
	wantFault(t, err, fault.Exhausted)
	w.Close()
	w.Close()
	watch(t, r, "event")
	_, err = r.Watch("event", 0)
	wantFault(t, err, fault.Exhausted)
}

func TestAnInstanceHasABound(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	large := instance("event", "a")
	large.Metadata = map[string]string{"k": strings.Repeat("v", 1000)}
	wantFault(t, open(t, r).Put(t.Context(), large), fault.Exhausted)
	wantIDs(t, r.List(""))
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
	wantFault(t, s.Put(t.Context(), instance("event", "a")), fault.Unavailable)
	s.Close()
	wantIDs(t, r.List(""), "event/a")
	_, err := r.Open()
	wantFault(t, err, fault.Unavailable)
	_, err = r.Watch("event", 0)
	wantFault(t, err, fault.Unavailable)
}
