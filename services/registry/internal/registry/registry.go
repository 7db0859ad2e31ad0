// Package registry knows which instances serve which service, and tells those who watch.
//
// What it knows stands in a Store that all registries of a mesh share; each holds a copy of it in memory, from which it
// answers. An instance lives by a Session, which whoever hears from it holds open, or by a lease that is renewed. The node that
// hears from it owns its record. When a node dies, its instances have a full term to turn to another.
//
// The registry's lock is never held while waiting.
package registry

import (
	"context"
	"slices"
	"sync"
	"time"

	"eventprospect/mesh/fault"
)

// retryAfter is when trying again makes sense for who is refused by a limit.
const retryAfter = 5 * time.Second

// Settings are the registry's terms and limits. All must be positive; Grace may be zero.
type Settings struct {
	// Term is how long an instance of a Session stays without a sign of life.
	Term time.Duration
	// Grace is how long after its start the registry says nothing of a service of which no instance is up.
	Grace time.Duration
	// MaxInstances bounds the instances of all services.
	MaxInstances int
	// MaxSize bounds the texts of one instance, in bytes.
	MaxSize int
	// MaxWatchers bounds the watches of services. Those of everything are bounded by who offers them.
	MaxWatchers int
}

// Registry is the place where instances are known.
type Registry struct {
	settings Settings
	store    Store
	node     Node
	loaded   chan struct{} // closed when the store has told what it holds

	mu         sync.Mutex // guards all that follows, with the insides of services, sessions and watches
	services   map[string]*service
	instances  int
	revision   int64 // of the store, as far as it is known here
	everything journal
	history    history
	nodes      map[string]Node // those alive, by name
	absence    map[Node]int    // how many sweeps ago an owner was found missing
	sessions   map[*Session]struct{}
	speakers   map[Key]*Session // which session speaks for an instance that this node owns
	placing    map[Key]int      // changes under way, by which an instance comes or passes to another session
	arriving   map[Key]struct{} // those of them that will be one more instance
	watchers   int
	settled    bool  // the grace is over
	stopped    error // why nothing is served any more
}

// New makes a registry on a store. It knows nothing before Run.
func New(settings Settings, store Store, node Node) *Registry {
	return &Registry{
		settings: settings, store: store, node: node, loaded: make(chan struct{}),
		services:   map[string]*service{},
		everything: newJournal(0),
		nodes:      map[string]Node{},
		absence:    map[Node]int{},
		sessions:   map[*Session]struct{}{},
		speakers:   map[Key]*Session{},
		placing:    map[Key]int{},
		arriving:   map[Key]struct{}{},
	}
}

// Run follows the store, keeps this node announced in it, ends what is silent for its term, and ends the grace, until the context ends.
func (r *Registry) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	failed := make(chan error, 2)
	var parts sync.WaitGroup
	for _, part := range []func(context.Context) error{
		func(ctx context.Context) error { return r.store.Follow(ctx, follower{r}) },
		func(ctx context.Context) error { return r.store.Announce(ctx, r.node, r.settings.Term) },
	} {
		parts.Go(func() {
			if err := part(ctx); err != nil {
				failed <- err
				end()
			}
		})
	}
	r.keepTime(ctx)
	parts.Wait()
	close(failed)
	return <-failed
}

// Loaded waits until the registry knows what the store holds.
func (r *Registry) Loaded(ctx context.Context) error {
	select {
	case <-r.loaded:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends all sessions and watches with Unavailable, and refuses new ones. No instance is removed: they are alive,
// it is the registry that goes.
func (r *Registry) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil {
		return
	}
	r.stopped = fault.New(fault.Unavailable, "the registry is stopping: connect again")
	for s := range r.sessions {
		s.end(r.stopped)
	}
	r.wakeAll()
}

// Get gives one instance, or fails with NotFound.
func (r *Registry) Get(key Key) (Instance, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if record := r.record(key); record != nil {
		return record.Instance, nil
	}
	return Instance{}, missing(key)
}

// List gives the instances of one service, or of all if it is empty, whatever their status, by service and id.
func (r *Registry) List(name string) []Instance {
	all := r.collect(name)
	slices.SortFunc(all, compare)
	return all
}

func (r *Registry) collect(name string) []Instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	if name != "" {
		if svc := r.services[name]; svc != nil {
			return svc.all(nil)
		}
		return nil
	}
	all := make([]Instance, 0, r.instances)
	for _, svc := range r.services {
		all = svc.all(all)
	}
	return all
}

// SetStatus sets the status that counts while the instance itself says Up; zero takes that back. It fails with NotFound, Invalid, and
// as the store does.
func (r *Registry) SetStatus(ctx context.Context, key Key, status Status) (Instance, error) {
	if status != 0 && !status.valid() {
		return Instance{}, fault.InvalidField("status", "is not one that an instance can have")
	}
	return r.update(ctx, key, func(record *Record) error {
		record.Instance.Override = status
		return nil
	})
}

// update changes a record, in memory and store, from whatever it is. It fails with NotFound, as change does, and as the store does.
func (r *Registry) update(ctx context.Context, key Key, change func(*Record) error) (Instance, error) {
	for {
		known := r.read(key)
		if known == nil {
			return Instance{}, missing(key)
		}
		next := *known
		next.Instance = next.Instance.own()
		if err := change(&next); err != nil {
			return Instance{}, err
		}
		if next.Owner == known.Owner && next.Instance.Override == known.Instance.Override && next.Instance.saysSame(known.Instance) {
			return known.Instance, nil
		}
		if err := next.Instance.check(r.settings.MaxSize); err != nil {
			return Instance{}, err
		}
		next.Instance.UpdateTime = now()
		err := r.store.Commit(ctx, Change{Key: key, Record: &next, Known: known.Revision})
		if err == nil || !fault.Is(err, fault.Stale) {
			return next.Instance, err
		}
	}
}

// read gives a record as it is known now, or nil. Nobody changes it.
func (r *Registry) read(key Key) *Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.record(key)
}

// record is read with the lock held.
func (r *Registry) record(key Key) *Record {
	if svc := r.services[key.Service]; svc != nil {
		return svc.members[key.ID]
	}
	return nil
}

// serviceOf gives what is known of a service, and begins to know it. The lock is held.
func (r *Registry) serviceOf(name string) *service {
	svc := r.services[name]
	if svc == nil {
		svc = newService(r.revision)
		r.services[name] = svc
	}
	return svc
}

// forget drops a service that has neither instances nor watches. The lock is held.
func (r *Registry) forget(name string) {
	if svc := r.services[name]; svc != nil && len(svc.members) == 0 && svc.watchers == 0 {
		delete(r.services, name)
	}
}

// wakeAll makes every watch look again. The lock is held.
func (r *Registry) wakeAll() {
	r.everything.wake()
	for _, svc := range r.services {
		svc.visible.wake()
	}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func missing(key Key) error { return fault.Missing("Instance", key.Service+"/"+key.ID) }

func exhausted(format string, args ...any) error {
	f := fault.New(fault.Exhausted, format, args...)
	f.RetryAfter = retryAfter
	return f
}
