package registry

import (
	"context"
	"time"

	"eventprospect/mesh/fault"
)

// Register keeps an instance for a term, which Renew begins anew, instead of a session. It fails with
//   - Invalid, if something is missing
//   - Exhausted, if there are too many, or this one is too large
//   - Precondition, if a session speaks for an instance of this name
//   - Unavailable or Timeout, if the store is away.
func (r *Registry) Register(ctx context.Context, instance Instance, term time.Duration) error {
	instance.Leased = true
	if known := r.read(instance.Key); known != nil && !known.Instance.Leased {
		return notLeased(instance.Key)
	}
	s, err := r.open(term)
	if err != nil {
		return err
	}
	if err := s.Put(ctx, instance); err != nil {
		s.Close()
		return err
	}
	return nil
}

// Renew begins the term of a leased instance anew; the node that hears from it owns it from now on. It fails with NotFound if the
// lease has run out, with Precondition for an instance of a session, and as the store does.
func (r *Registry) Renew(ctx context.Context, key Key) error {
	known, err := r.leased(key)
	if err != nil {
		return err
	}
	if r.renewHere(key) {
		return nil
	}
	return r.Register(ctx, known.Instance, known.Term)
}

// renewHere renews the session of this node, if there is one.
func (r *Registry) renewHere(key Key) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.speakers[key]
	if s == nil || s.usable() != nil {
		return false
	}
	s.silent = 0
	return true
}

// Cancel removes a leased instance. It fails with NotFound, with Precondition for an instance of a session, and as the store does.
func (r *Registry) Cancel(ctx context.Context, key Key) error {
	for {
		known, err := r.leased(key)
		if err != nil {
			return err
		}
		err = r.store.Commit(ctx, Change{Key: key, Known: known.Revision})
		if err == nil || !fault.Is(err, fault.Stale) {
			return err
		}
	}
}

// Update changes what a leased instance says of itself. The change gets a copy; its error is returned, and nothing changes. It fails with
// NotFound, with Precondition for an instance of a session, with Invalid and Exhausted as Register does, and as the store does.
func (r *Registry) Update(ctx context.Context, key Key, change func(*Instance) error) (Instance, error) {
	return r.update(ctx, key, func(record *Record) error {
		if !record.Instance.Leased {
			return notLeased(key)
		}
		if err := change(&record.Instance); err != nil {
			return err
		}
		record.Instance.Key, record.Instance.Leased = key, true
		return nil
	})
}

func (r *Registry) leased(key Key) (*Record, error) {
	known := r.read(key)
	if known == nil {
		return nil, missing(key)
	}
	if !known.Instance.Leased {
		return nil, notLeased(key)
	}
	return known, nil
}

func notLeased(key Key) error {
	return fault.New(fault.Precondition, "instance %q of %q speaks for itself on a stream: it can't be changed from elsewhere", key.ID, key.Service)
}
