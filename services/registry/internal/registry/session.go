package registry

import (
	"context"
	"time"

	"eventprospect/mesh/fault"
)

// leaveTimeout bounds the removal of an instance whose session has ended; keepTime tries again what didn't work.
const leaveTimeout = 5 * time.Second

// Session keeps one instance registered. Of two sessions for the same instance, in whatever registry, the newer one speaks
// for it.
type Session struct {
	registry *Registry
	term     time.Duration
	done     chan struct{}

	// The registry's lock guards the rest.
	told Instance // what the instance said last; without a key before the first Put
	lost bool     // a newer session speaks for the instance
	// silent counts sweeps since the last sign of life. Sweeps, not time: while the registry itself stands
	// still, or gets no CPU, nobody's term runs out.
	silent int
	err    error // why it ended
}

// Open begins a session, without an instance yet; its term runs already. Close it when it isn't needed any more.
// It fails with Exhausted and Unavailable.
func (r *Registry) Open() (*Session, error) { return r.open(r.settings.Term) }

func (r *Registry) open(term time.Duration) (*Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil {
		return nil, r.stopped
	}
	// Twice, so that all instances can pass to new sessions before the old ones have ended.
	if len(r.sessions) >= 2*r.settings.MaxInstances {
		return nil, exhausted("there are %d sessions already", len(r.sessions))
	}
	s := &Session{registry: r, term: term, done: make(chan struct{})}
	r.sessions[s] = struct{}{}
	return s, nil
}

// Put registers the instance, or says how it has changed, and returns when that is stored. It is a sign of life. It fails with
//   - Invalid, if something is missing or the instance is another than before
//   - Exhausted, if there are too many, or this one is too large
//   - AlreadyExists, if a newer session speaks for the instance
//   - Timeout or Unavailable, if the session has ended or the store is away.
func (s *Session) Put(ctx context.Context, instance Instance) error {
	instance = instance.own()
	instance.Override = 0
	if err := instance.check(s.registry.settings.MaxSize); err != nil {
		return err
	}
	if err := s.registry.beginPlacing(s, instance); err != nil {
		return err
	}
	defer s.registry.endPlacing(instance.Key)
	return s.registry.place(ctx, s, instance)
}

// Renew is a sign of life. It fails as Put does, and with Invalid before the first Put.
func (s *Session) Renew() error {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if s.told.ID == "" {
		return fault.InvalidField("instance", "must be set in the first message")
	}
	s.silent = 0
	return nil
}

// Close ends the session and removes its instance, unless a newer session speaks for it or the registry is stopping.
func (s *Session) Close() { s.registry.leave(s) }

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
		return s.overtaken()
	}
	return nil
}

func (s *Session) overtaken() error {
	return fault.New(fault.AlreadyExists, "another process has joined as instance %q of %q since", s.told.ID, s.told.Service)
}

func (s *Session) checkSame(instance Instance) error {
	if instance.Service != s.told.Service {
		return fault.InvalidField("instance.service", "must stay %q in this stream", s.told.Service)
	}
	if instance.ID != s.told.ID {
		return fault.InvalidField("instance.id", "must stay %q in this stream", s.told.ID)
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

// leave takes the session off, with its instance if it still speaks for it.
func (r *Registry) leave(s *Session) {
	if change := r.takeOff(s); change != nil {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
		defer cancel()
		// If that fails, keepTime finds an instance that nobody speaks for.
		_ = r.store.Commit(ctx, *change)
	}
}

// takeOff gives the change that removes the session's instance, or nil if it stays.
func (r *Registry) takeOff(s *Session) *Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s)
	if r.speakers[s.told.Key] != s || r.stopped != nil {
		return nil
	}
	delete(r.speakers, s.told.Key)
	return r.removal(s.told.Key)
}

// removal gives the change that removes an instance which nobody of this node speaks for, or nil if there is nothing to remove
// or the instance is on its way to another session. The lock is held.
func (r *Registry) removal(key Key) *Change {
	record := r.record(key)
	if record == nil || record.Owner != r.node || r.placing[key] > 0 {
		return nil
	}
	return &Change{Key: key, Known: record.Revision}
}
