package registry

import (
	"cmp"
	"slices"
)

// service is what is known of one service. The registry's lock guards it.
type service struct {
	members  map[string]*member // by id
	watchers int
	revision int64         // of the last change that watches can see
	visible  []Instance    // what watches see; nil if it must be put together anew
	known    bool          // an instance has been up: that there is none now is news, not ignorance
	changed  chan struct{} // closed when watches must look again
}

// member is an instance and the session that speaks for it.
type member struct {
	instance Instance
	owner    *Session
}

func newService(revision int64) *service {
	return &service{members: map[string]*member{}, revision: revision, changed: make(chan struct{})}
}

// passTo makes a session the owner; the former one has lost the instance, and learns of it with its next message.
func (m *member) passTo(s *Session) {
	if m.owner != s {
		m.owner.lost = true
		m.owner = s
	}
}

// up gives the instances that are up, by id. Who gets the slice must not change it: all watches share it.
func (s *service) up() []Instance {
	if s.visible != nil {
		return s.visible
	}
	s.visible = make([]Instance, 0, len(s.members))
	for _, m := range s.members {
		if m.instance.Status == Up {
			s.visible = append(s.visible, m.instance)
		}
	}
	slices.SortFunc(s.visible, func(a, b Instance) int { return cmp.Compare(a.ID, b.ID) })
	return s.visible
}

func (s *service) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
