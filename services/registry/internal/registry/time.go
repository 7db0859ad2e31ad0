package registry

import (
	"context"
	"sync"
	"time"

	"eventprospect/mesh/fault"
)

const (
	// sweepsPerTerm is how finely terms are counted: a silent session ends after one term and at most a tenth of it.
	sweepsPerTerm = 10
	// maxRepairs bounds the changes that one sweep has under way.
	maxRepairs = 64
)

// keepTime sweeps until the context ends, and ends the grace when it is over.
func (r *Registry) keepTime(ctx context.Context) {
	if r.Loaded(ctx) != nil {
		return
	}
	sweep := time.NewTicker(r.settings.Term / sweepsPerTerm)
	defer sweep.Stop()
	grace := time.NewTimer(r.settings.Grace)
	defer grace.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-grace.C:
			r.settle()
		case <-sweep.C:
			r.sweep(ctx)
		}
	}
}

// settle ends the grace: from now on an empty service is said to be empty.
func (r *Registry) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = true
	r.wakeAll()
}

// sweep counts one more sweep of silence, and mends what isn't as it should be.
func (r *Registry) sweep(ctx context.Context) {
	removals, returns := r.inspect()
	ctx, cancel := context.WithTimeout(ctx, r.settings.Term)
	defer cancel()
	var repairs sync.WaitGroup
	free := make(chan struct{}, maxRepairs)
	repair := func(do func() error) {
		free <- struct{}{}
		repairs.Go(func() {
			_ = do() // what fails is found again by the next sweep
			<-free
		})
	}
	for _, change := range removals {
		repair(func() error { return r.store.Commit(ctx, change) })
	}
	for s, told := range returns {
		repair(func() error { return s.Put(ctx, told) })
	}
	repairs.Wait()
}

// inspect ends the sessions whose term is over. It gives the instances to remove, because nobody speaks for them, and the sessions
// whose instance another node took for dead.
func (r *Registry) inspect() (removals []Change, returns map[*Session]Instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil {
		return nil, nil
	}
	r.endSilent()
	r.countAbsence()
	for name, svc := range r.services {
		for id, record := range svc.members {
			if r.orphaned(Key{name, id}, record) {
				removals = append(removals, Change{Key: Key{name, id}, Known: record.Revision})
			}
		}
	}
	returns = map[*Session]Instance{}
	for key, s := range r.speakers {
		if r.record(key) == nil && r.placing[key] == 0 {
			returns[s] = s.told
		}
	}
	return removals, returns
}

// endSilent ends the sessions whose term is over. The lock is held.
func (r *Registry) endSilent() {
	for s := range r.sessions {
		s.silent++
		if s.lost && s.told.Leased {
			delete(r.sessions, s) // nobody holds it open
			continue
		}
		if time.Duration(s.silent)*r.interval() <= s.term {
			continue
		}
		s.end(fault.New(fault.Timeout, "nothing was heard for %v", s.term))
		delete(r.sessions, s)
		if r.speakers[s.told.Key] == s {
			delete(r.speakers, s.told.Key)
		}
	}
}

func (r *Registry) interval() time.Duration { return r.settings.Term / sweepsPerTerm }

// countAbsence counts the sweeps for which owners of instances have been missing. The lock is held.
func (r *Registry) countAbsence() {
	seen := map[Node]int{}
	for _, svc := range r.services {
		for _, record := range svc.members {
			owner := record.Owner
			if owner != r.node && r.nodes[owner.Name] != owner {
				seen[owner] = r.absence[owner] + 1
			}
		}
	}
	r.absence = seen
}

// orphaned tells whether an instance has to go: this node owns it but nobody speaks for it here, or its owner has been missing for
// a whole term, in which it could have turned to another.
func (r *Registry) orphaned(key Key, record *Record) bool {
	if record.Owner == r.node {
		return r.speakers[key] == nil && r.placing[key] == 0
	}
	return time.Duration(r.absence[record.Owner])*r.interval() > record.Term
}
