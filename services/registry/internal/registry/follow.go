package registry

// follower takes in what the store tells.
type follower struct{ *Registry }

// Load compares what is stored with what was known: watches are told the difference.
func (f follower) Load(state State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.revision == 0
	batch := Batch{Revision: state.Revision, Alive: state.Nodes}
	stored := make(map[Key]struct{}, len(state.Records))
	for _, record := range state.Records {
		stored[record.Instance.Key] = struct{}{}
		if known := f.record(record.Instance.Key); known == nil || known.Revision != record.Revision {
			batch.Written = append(batch.Written, record)
		}
	}
	for _, svc := range f.services {
		for id, known := range svc.members {
			if _, ok := stored[known.Instance.Key]; !ok {
				batch.Removed = append(batch.Removed, Key{known.Instance.Service, id})
			}
		}
	}
	clear(f.nodes)
	f.apply(batch, !first)
	if !first {
		return
	}
	// What happened before is not known.
	f.everything.restart(state.Revision)
	for _, svc := range f.services {
		svc.visible.restart(state.Revision)
	}
	close(f.loaded)
}

// Apply takes in what changed.
func (f follower) Apply(batch Batch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.apply(batch, true)
}

// apply takes in a change; what is loaded at the start is no news. The lock is held.
func (r *Registry) apply(batch Batch, news bool) {
	r.revision = batch.Revision
	for _, node := range batch.Alive {
		r.nodes[node.Name] = node
	}
	for _, name := range batch.Silent {
		delete(r.nodes, name)
	}
	touched := map[*service]struct{}{}
	for i := range batch.Written {
		r.put(&batch.Written[i], touched, news)
	}
	for _, key := range batch.Removed {
		r.drop(key, touched, news)
	}
	for svc := range touched {
		svc.visible.wake()
	}
	if len(batch.Written)+len(batch.Removed) > 0 {
		r.everything.wake()
	}
}

// put takes in a record that was written.
func (r *Registry) put(record *Record, touched map[*service]struct{}, news bool) {
	key := record.Instance.Key
	svc := r.serviceOf(key.Service)
	former := svc.members[key.ID]
	svc.members[key.ID] = record
	action := Modified
	if former == nil {
		r.instances++
		delete(r.arriving, key)
		action = Added
	}
	if record.up() {
		svc.known = true
	}
	if record.Owner != r.node {
		r.silence(key)
	}
	if former != nil && former.saysSame(record) {
		return // it was only passed to another node
	}
	r.everything.note(r.revision, key)
	if former.up() || record.up() {
		svc.visible.note(r.revision, key)
		touched[svc] = struct{}{}
	}
	if news {
		r.history.add(Event{action, now(), r.revision, record.Instance})
	}
}

// drop takes in that a record was removed.
func (r *Registry) drop(key Key, touched map[*service]struct{}, news bool) {
	former := r.record(key)
	if former == nil {
		return
	}
	svc := r.services[key.Service]
	delete(svc.members, key.ID)
	r.instances--
	if former.Instance.Leased {
		r.silence(key)
	}
	r.everything.note(r.revision, key)
	if former.up() {
		svc.visible.note(r.revision, key)
		touched[svc] = struct{}{}
	}
	if news {
		r.history.add(Event{Removed, now(), r.revision, former.Instance})
	}
	r.forget(key.Service)
}

// silence takes the word from the session that speaks for an instance.
func (r *Registry) silence(key Key) {
	if s := r.speakers[key]; s != nil {
		s.lost = true
		delete(r.speakers, key)
	}
}

// saysSame tells whether watches see no difference between two records.
func (r *Record) saysSame(other *Record) bool {
	return r.Instance.Override == other.Instance.Override && r.Instance.saysSame(other.Instance)
}
