package registry

// service is what is known of one service. The registry's lock guards it.
type service struct {
	members  map[string]*Record // by id; a record is never changed, but replaced
	watchers int
	known    bool    // an instance has been up: that there is none now is news, not ignorance
	visible  journal // of the changes that watches of the service can see
}

func newService(revision int64) *service {
	return &service{members: map[string]*Record{}, visible: newJournal(revision)}
}

// all adds the instances, whatever their status.
func (s *service) all(to []Instance) []Instance {
	for _, m := range s.members {
		to = append(to, m.Instance)
	}
	return to
}

// up adds those that are up.
func (s *service) up(to []Instance) []Instance {
	for _, m := range s.members {
		if m.up() {
			to = append(to, m.Instance)
		}
	}
	return to
}

// up tells whether watches of the service see the record, which may be none.
func (r *Record) up() bool { return r != nil && r.Instance.Status() == Up }
