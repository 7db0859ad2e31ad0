package registry

import (
	"context"

	"eventprospect/mesh/fault"
)

// beginPlacing notes that an instance is on its way to a session.
func (r *Registry) beginPlacing(s *Session, told Instance) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if s.told.ID != "" {
		if err := s.checkSame(told); err != nil {
			return err
		}
	}
	if _, counted := r.arriving[told.Key]; !counted && r.record(told.Key) == nil {
		if r.instances+len(r.arriving) >= r.settings.MaxInstances {
			return exhausted("there are %d instances already", r.instances)
		}
		r.arriving[told.Key] = struct{}{}
	}
	r.placing[told.Key]++
	return nil
}

func (r *Registry) endPlacing(key Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.placing[key]--; r.placing[key] == 0 {
		delete(r.placing, key)
		delete(r.arriving, key)
	}
}

// place stores an instance as this node's and makes the session the one that speaks for it.
func (r *Registry) place(ctx context.Context, s *Session, told Instance) error {
	for {
		change, err := r.prepare(s, told)
		if err != nil {
			return err
		}
		if change == nil {
			return r.claim(s, told)
		}
		if err = r.store.Commit(ctx, *change); err == nil {
			return r.claim(s, told)
		}
		if !fault.Is(err, fault.Stale) {
			return err
		}
	}
}

// prepare gives the change that has to be stored, from what is known now; nil if there is none.
func (r *Registry) prepare(s *Session, told Instance) (*Change, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := s.usable(); err != nil {
		return nil, err
	}
	next := &Record{Instance: told, Owner: r.node, Term: s.term}
	next.Instance.UpdateTime = now()
	next.Instance.JoinTime = next.Instance.UpdateTime
	known := r.record(told.Key)
	if known == nil {
		return &Change{Key: told.Key, Record: next}, nil
	}
	// The instance goes on, whoever speaks for it.
	next.Instance.JoinTime, next.Instance.Override = known.Instance.JoinTime, known.Instance.Override
	if known.Instance.saysSame(told) {
		if known.Owner == r.node && known.Term == s.term {
			return nil, nil
		}
		next.Instance.UpdateTime = known.Instance.UpdateTime
	}
	return &Change{Key: told.Key, Record: next, Known: known.Revision}, nil
}

// claim makes the session the one that speaks for the instance; the former one learns of it with its next message.
func (r *Registry) claim(s *Session, told Instance) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	s.told, s.silent = told, 0
	if record := r.record(told.Key); record != nil && record.Owner != r.node {
		s.lost = true
		return s.overtaken()
	}
	if former := r.speakers[told.Key]; former != nil && former != s {
		former.lost = true
	}
	r.speakers[told.Key] = s
	return nil
}
