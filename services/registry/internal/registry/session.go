package registry

import (
	"maps"

	"eventprospect/mesh/fault"
)

// sweepsPerTerm is how finely terms are counted: a silent session ends after one term and at most a tenth of it.
const sweepsPerTerm = 10

// Session keeps one instance registered. Of two sessions for the same instance, the newer one speaks for it.
type Session struct {
	registry *Registry
	done     chan struct{}

	// The registry's lock guards the rest.
	service, id string // of the instance; empty before the first Put
	lost        bool   // a newer session speaks for the instance
	// silent counts sweeps since the last sign of life. Sweeps, not time: while the registry itself stands
	// still, or gets no CPU, nobody's term runs out.
	silent int
	err    error // why it ended
}

// Open begins a session, without an instance yet; its term runs already. Close it when it isn't needed any more.
// It fails with Exhausted and Unavailable.
func (r *Registry) Open() (*Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil {
		return nil, r.stopped
	}
	// Twice, so that all instances can pass to new sessions before the old ones have ended.
	if len(r.sessions) >= 2*r.settings.MaxInstances {
		return nil, exhausted("there are %d sessions already", len(r.sessions))
	}
	s := &Session{registry: r, done: make(chan struct{})}
	r.sessions[s] = struct{}{}
	return s, nil
}

// Put registers the instance, or says how it has changed. It is a sign of life. It fails with
//   - Invalid, if something is missing or the instance is another than before
//   - Exhausted, if there are too many
//   - AlreadyExists, if a newer session speaks for the instance
//   - Timeout or Unavailable, if the session has ended.
func (s *Session) Put(instance Instance) error {
	if err := instance.check(); err != nil {
		return err
	}
	instance.Metadata = maps.Clone(instance.Metadata)
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if s.id != "" {
		if err := s.checkSame(instance); err != nil {
			return err
		}
	}
	if err := s.registry.place(s, instance); err != nil {
		return err
	}
	s.service, s.id, s.silent = instance.Service, instance.ID, 0
	return nil
}

// Renew is a sign of life. It fails as Put does, and with Invalid before the first Put.
func (s *Session) Renew() error {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if s.id == "" {
		return fault.InvalidField("instance", "must be set in the first message")
	}
	s.silent = 0
	return nil
}

// Close ends the session and removes its instance at once, unless a newer session speaks for it or the registry is stopping.
func (s *Session) Close() {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	s.registry.leave(s)
}

// Done is closed when the registry ends the session.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err tells why the registry ended the session: Timeout or Unavailable. It is nil as long as it hasn't.
func (s *Session) Err() error {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.err
}

// usable tells whether the session still speaks for its instance. The lock is held.
func (s *Session) usable() error {
	switch {
	case s.err != nil:
		return s.err
	case s.lost:
		return fault.New(fault.AlreadyExists, "another process has joined as instance %q of %q since", s.id, s.service)
	}
	return nil
}

func (s *Session) checkSame(instance Instance) error {
	if instance.Service != s.service {
		return fault.InvalidField("instance.service", "must stay %q in this stream", s.service)
	}
	if instance.ID != s.id {
		return fault.InvalidField("instance.id", "must stay %q in this stream", s.id)
	}
	return nil
}

// end ends the session for a reason of the registry's. The lock is held.
func (s *Session) end(reason error) {
	if s.err == nil {
		s.err = reason
		close(s.done)
	}
}

// leave takes the session off, with its instance if it still speaks for it. The lock is held.
func (r *Registry) leave(s *Session) {
	if _, open := r.sessions[s]; !open {
		return
	}
	delete(r.sessions, s)
	if s.id != "" && !s.lost && r.stopped == nil {
		r.remove(s.service, s.id)
	}
}

// sweep counts one more sweep of silence for every session, and ends those whose term is over.
func (r *Registry) sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.sessions {
		if s.silent++; s.silent > sweepsPerTerm {
			s.end(fault.New(fault.Timeout, "nothing was heard for %v", r.settings.Term))
			r.leave(s)
		}
	}
}
