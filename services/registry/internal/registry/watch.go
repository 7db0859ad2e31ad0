package registry

import (
	"context"
	"slices"
)

// Update is what a watcher must change in what it knows.
type Update struct {
	// Reset tells to forget everything known before.
	Reset bool
	// Changed are the instances that are new or have changed, by service and id.
	Changed []Instance
	// Removed are those that are gone, or can't be seen any more; the watcher need not have known them.
	Removed []Key
	// Revision is that of what the watcher knows now. It grows, and is the same in all registries of a mesh.
	Revision int64
}

// Watch follows one service, or all. It is used by one goroutine.
type Watch struct {
	registry *Registry
	service  string // empty: all
	sent     int64  // the revision last given
	fresh    bool   // nothing was given yet
	closed   bool
}

// Watch begins to follow the instances of a service that are up; the service need not exist. With an empty name, it follows all
// instances of all services, whatever their status. Who has watched before gives the revision of the last update: if
// the registry remembers that far, only what changed since is told. Close the watch when it isn't needed any more.
// It fails with Exhausted, which a watch of everything doesn't count towards, and Unavailable.
func (r *Registry) Watch(name string, revision int64) (*Watch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped != nil {
		return nil, r.stopped
	}
	if name != "" {
		if r.watchers >= r.settings.MaxWatchers {
			return nil, exhausted("there are %d watches already", r.watchers)
		}
		r.watchers++
		r.serviceOf(name).watchers++
	}
	return &Watch{registry: r, service: name, sent: revision, fresh: revision == 0}, nil
}

// Next gives what changed since the last update; the first time, unless the watch was resumed, everything, at once. Changes that
// a slow watcher has missed come as one. It fails with Unavailable when the registry stops, and as the context does.
func (w *Watch) Next(ctx context.Context) (Update, error) {
	for {
		update, changed, err := w.look()
		if err != nil || changed == nil {
			return update, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Update{}, ctx.Err()
		}
	}
}

// look gives either what is new, or what to wait for.
func (w *Watch) look() (Update, <-chan struct{}, error) {
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	if w.registry.stopped != nil {
		return Update{}, nil, w.registry.stopped
	}
	seen, ready := w.sees()
	if !ready || (!w.fresh && w.sent == seen.last()) {
		return Update{}, seen.changed, nil
	}
	keys, remembered := seen.since(w.sent)
	update := Update{Revision: w.registry.revision}
	switch {
	case w.fresh || !remembered || w.sent > w.registry.revision:
		update.Reset, update.Changed = true, w.everything()
	case len(keys) == 0:
		return Update{}, seen.changed, nil
	default:
		update.Changed, update.Removed = w.sort(keys)
	}
	slices.SortFunc(update.Changed, compare)
	w.sent, w.fresh = update.Revision, false
	return update, nil, nil
}

// sees gives the journal that the watch follows, and whether it may be told anything yet.
func (w *Watch) sees() (*journal, bool) {
	if w.service == "" {
		return &w.registry.everything, true
	}
	svc := w.registry.services[w.service]
	return &svc.visible, svc.known || w.registry.settled
}

func (w *Watch) everything() []Instance {
	if w.service != "" {
		return w.registry.services[w.service].up(nil)
	}
	all := make([]Instance, 0, w.registry.instances)
	for _, svc := range w.registry.services {
		all = svc.all(all)
	}
	return all
}

// sort tells what became of instances that changed.
func (w *Watch) sort(keys []Key) (changed []Instance, removed []Key) {
	for _, key := range keys {
		record := w.registry.record(key)
		if record == nil || (w.service != "" && !record.up()) {
			removed = append(removed, key)
			continue
		}
		changed = append(changed, record.Instance)
	}
	return changed, removed
}

// Close ends the watch; a second call does no harm.
func (w *Watch) Close() {
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	if w.service != "" {
		w.registry.watchers--
		w.registry.services[w.service].watchers--
		w.registry.forget(w.service)
	}
}
