// Package registry knows which instances serve which service, and tells those who watch.
//
// An instance lives in a Session: whoever keeps the instance alive holds one, puts the instance into it, renews
// it, and closes it. A Watch follows one service. All is in memory, behind one lock that is never held while waiting.
package registry

import (
	"cmp"
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
	// Term is how long an instance stays without a sign of life.
	Term time.Duration
	// Grace is how long after its start the registry says nothing of a service of which no instance is up.
	Grace time.Duration
	// MaxInstances bounds the instances of all services.
	MaxInstances int
	// MaxWatchers bounds the watches.
	MaxWatchers int
}

// Registry is the place where instances are known.
type Registry struct {
	settings Settings

	mu        sync.Mutex // guards all that follows, with the insides of services, sessions and watches
	services  map[string]*service
	sessions  map[*Session]struct{}
	instances int
	watchers  int
	revision  int64
	settled   bool  // the grace is over
	stopped   error // why nothing is served any more
}

// New makes an empty registry. Its clock is Run.
func New(settings Settings) *Registry {
	return &Registry{
		settings: settings,
		services: map[string]*service{},
		sessions: map[*Session]struct{}{},
		// It grows from one registry to the next, too.
		revision: time.Now().UnixMicro(),
	}
}

// Run ends the sessions that are silent for a term, and the grace, until the context ends.
func (r *Registry) Run(ctx context.Context) error {
	sweep := time.NewTicker(r.settings.Term / sweepsPerTerm)
	defer sweep.Stop()
	grace := time.NewTimer(r.settings.Grace)
	defer grace.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-grace.C:
			r.settle()
		case <-sweep.C:
			r.sweep()
		}
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

// List gives the instances of one service, or of all if it is empty, whatever their status, by service and id.
func (r *Registry) List(name string) []Instance {
	all := r.collect(name)
	slices.SortFunc(all, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.ID, b.ID))
	})
	return all
}

func (r *Registry) collect(name string) []Instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Instance
	for of, svc := range r.services {
		if name != "" && name != of {
			continue
		}
		for _, m := range svc.members {
			all = append(all, m.instance)
		}
	}
	return all
}

// settle ends the grace: from now on an empty service is said to be empty.
func (r *Registry) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = true
	r.wakeAll()
}

// wakeAll makes every watch look again. The lock is held.
func (r *Registry) wakeAll() {
	for _, svc := range r.services {
		svc.wake()
	}
}

// place makes the session the owner of an instance, which joins, changes, or passes from another session. The lock is held.
func (r *Registry) place(s *Session, told Instance) error {
	svc := r.services[told.Service]
	if svc == nil {
		svc = newService(r.revision)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	told.JoinTime, told.UpdateTime = now, now
	known := svc.members[told.ID]
	shown := told.Status == Up
	if known == nil {
		if r.instances >= r.settings.MaxInstances {
			return exhausted("there are %d instances already", r.instances)
		}
		r.instances++
	} else {
		shown = shown || known.instance.Status == Up
		// The instance goes on, whoever speaks for it.
		told.JoinTime = known.instance.JoinTime
		known.passTo(s)
		if known.instance.saysSame(told) {
			return nil
		}
	}
	svc.members[told.ID] = &member{told, s}
	r.services[told.Service] = svc
	r.change(svc, shown)
	return nil
}

// remove takes an instance away. The lock is held.
func (r *Registry) remove(name, id string) {
	svc := r.services[name]
	shown := svc.members[id].instance.Status == Up
	delete(svc.members, id)
	r.instances--
	r.change(svc, shown)
	r.forget(name)
}

// change counts a change, and tells the watches if it can be seen by them.
func (r *Registry) change(svc *service, shown bool) {
	r.revision++
	if shown {
		svc.revision, svc.visible, svc.known = r.revision, nil, true
		svc.wake()
	}
}

// forget drops a service that has neither instances nor watches. The lock is held.
func (r *Registry) forget(name string) {
	if svc := r.services[name]; len(svc.members) == 0 && svc.watchers == 0 {
		delete(r.services, name)
	}
}

func exhausted(format string, args ...any) error {
	f := fault.New(fault.Exhausted, format, args...)
	f.RetryAfter = retryAfter
	return f
}
