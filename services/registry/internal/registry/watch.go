package registry

import "context"

// Snapshot is the state of one service.
type Snapshot struct {
	// Instances are those that are up, by id. It is shared: don't change it.
	Instances []Instance
	// Revision is that of the registry when it last changed. It grows from snapshot to snapshot.
	Revision int64
}

// Watch follows one service. It is used by one goroutine.
type Watch struct {
	registry *Registry
	name     string
	service  *service
	sent     int64 // the revision last given
}

// Watch begins to follow a service, which need not exist. Close it when it isn't needed any more.
// It fails with Exhausted and Unavailable.
func (r *Registry) Watch(name string) (*Watch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil {
		return nil, r.stopped
	}
	if r.watchers >= r.settings.MaxWatchers {
		return nil, exhausted("there are %d watches already", r.watchers)
	}
	svc := r.services[name]
	if svc == nil {
		svc = newService(r.revision)
		r.services[name] = svc
	}
	r.watchers++
	svc.watchers++
	return &Watch{registry: r, name: name, service: svc}, nil
}

// Next gives the newest state: the first time at once, then when it differs from the one last given. States that a
// slow watcher has missed are skipped. It fails with Unavailable when the registry stops, and as the context does.
func (w *Watch) Next(ctx context.Context) (Snapshot, error) {
	for {
		snapshot, changed, err := w.look()
		if err != nil || changed == nil {
			return snapshot, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Snapshot{}, ctx.Err()
		}
	}
}

// look gives either what is new, or what to wait for.
func (w *Watch) look() (Snapshot, <-chan struct{}, error) {
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	switch {
	case w.registry.stopped != nil:
		return Snapshot{}, nil, w.registry.stopped
	case w.service.revision == w.sent:
		return Snapshot{}, w.service.changed, nil
	case !w.service.known && !w.registry.settled:
		return Snapshot{}, w.service.changed, nil
	}
	w.sent = w.service.revision
	return Snapshot{Instances: w.service.up(), Revision: w.sent}, nil, nil
}

// Close ends the watch; a second call does no harm.
func (w *Watch) Close() {
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	if w.service == nil {
		return
	}
	w.service.watchers--
	w.registry.watchers--
	w.registry.forget(w.name)
	w.service = nil
}
