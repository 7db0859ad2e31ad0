package etcd

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// hurryAfter is how long a change waits for the watch to tell of it before the watch is made anew, at another member, and how
// long a new watch may take before the next.
const hurryAfter = time.Second

// stored is a key of etcd as it was at a revision.
type stored struct {
	key      string
	value    []byte // nil: it was removed
	revision int64
}

// view is what the follower has been told. Each revision is told once, by whoever knows first that it is the next: the committer,
// of what it has written itself, or the watch.
type view struct {
	keys keys
	log  *slog.Logger

	mu       sync.Mutex // guards the rest, and is held while the follower is told
	follower registry.Follower
	loaded   bool
	revision int64
	records  map[registry.Key]int64 // at which revisions the follower knows them
	// unreadable are records of which the follower isn't told, because they can't be decoded.
	unreadable map[registry.Key]int64
	complained bool
	changed    chan struct{}      // closed when waiters must look again
	restart    context.CancelFunc // ends the watch, so that it is made anew
	begun      time.Time          // when the watch was
}

func newView(keys keys, log *slog.Logger) *view {
	return &view{keys: keys, log: log, changed: make(chan struct{})}
}

// begin says who follows; nil if nobody does any more. A new one must be loaded first.
func (v *view) begin(follower registry.Follower) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.follower, v.loaded, v.revision = follower, false, 0
	v.records, v.unreadable = nil, nil
	v.wake()
}

// unload says that the follower must be loaded anew before it is told anything else.
func (v *view) unload() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.loaded = false
}

// reset says that what the follower knows was another etcd's: revisions begin anew.
func (v *view) reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.loaded, v.revision = false, 0
	if v.restart != nil {
		v.restart()
	}
}

// load tells the follower everything.
func (v *view) load(all []stored, revision int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.records, v.unreadable = map[registry.Key]int64{}, map[registry.Key]int64{}
	batch := v.read(all, revision)
	v.follower.Load(registry.State{Revision: revision, Records: batch.Written, Nodes: batch.Alive})
	v.loaded, v.revision = true, revision
	v.wake()
}

// apply tells the follower of a revision, unless it knows that already. It tells whether it can: otherwise the follower must be loaded.
func (v *view) apply(changes []stored, revision int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.loaded && revision > v.revision {
		v.tell(changes, revision)
	}
	return v.loaded
}

// advance tells the follower of a revision of this store's own, if it is the next one: then nothing is missing in between.
func (v *view) advance(revision int64, changes []stored) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.loaded && len(changes) > 0 && revision == v.revision+1 {
		v.tell(changes, revision)
	}
}

// tell is called with the lock held.
func (v *view) tell(changes []stored, revision int64) {
	if batch := v.read(changes, revision); len(batch.Written)+len(batch.Removed)+len(batch.Alive)+len(batch.Silent) > 0 {
		v.follower.Apply(batch)
	}
	v.revision = revision
	v.wake()
}

// read makes a batch of what was stored, and notes what of it the follower knows then. The lock is held.
func (v *view) read(changes []stored, revision int64) registry.Batch {
	batch := registry.Batch{Revision: revision}
	for _, c := range changes {
		if key, ok := v.keys.readInstance(c.key); ok {
			v.readInstance(&batch, key, c)
		} else if name, ok := v.keys.readNode(c.key); ok {
			v.readNode(&batch, name, c)
		}
	}
	return batch
}

func (v *view) readInstance(batch *registry.Batch, key registry.Key, c stored) {
	delete(v.unreadable, key)
	if c.value != nil {
		record, err := decodeRecord(key, c.value, c.revision)
		if err == nil {
			v.records[key] = c.revision
			batch.Written = append(batch.Written, record)
			return
		}
		v.unreadable[key] = c.revision
		v.complain(c.key, err)
	}
	if _, known := v.records[key]; known {
		delete(v.records, key)
		batch.Removed = append(batch.Removed, key)
	}
}

func (v *view) readNode(batch *registry.Batch, name string, c stored) {
	if c.value == nil {
		batch.Silent = append(batch.Silent, name)
		return
	}
	node, err := decodeRun(name, c.value)
	if err != nil {
		v.complain(c.key, err)
		return
	}
	batch.Alive = append(batch.Alive, node)
}

// complain tells of the first thing that can't be read; where there is one, there are many.
func (v *view) complain(key string, err error) {
	if !v.complained {
		v.complained = true
		v.log.Warn("the registry's store holds something unreadable, which counts as absent", "key", key, "error", err)
	}
}

// current gives the revision that the follower knows.
func (v *view) current() int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.revision
}

// outdated tells whether the follower has seen the record at a later revision than the change was made from, and at which: revisions
// of a record only grow, so etcd need not be asked.
func (v *view) outdated(change registry.Change) (int64, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	seen := v.records[change.Key]
	return seen, v.loaded && change.Known > 0 && seen > change.Known
}

// stands gives the revision at which a record must be for a change: the known one, or, if the follower could not be told of the record,
// that of this.
func (v *view) stands(change registry.Change) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if change.Known == 0 {
		return v.unreadable[change.Key]
	}
	return change.Known
}

// wait waits until the follower, if there is one, has seen what became of a change.
func (v *view) wait(ctx context.Context, key registry.Key, out outcome) error {
	late := time.NewTicker(hurryAfter)
	defer late.Stop()
	for {
		seen, changed := v.seen(key, out)
		if seen {
			return nil
		}
		select {
		case <-changed:
		case <-late.C:
			v.hurry()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// seen tells whether the follower knows the record as it was found or newer; if not, what to wait for. What was found gone need not
// be told by the watch any more, if the follower doesn't know it.
func (v *view) seen(key registry.Key, out outcome) (bool, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.follower == nil || v.loaded && v.revision >= out.revision {
		return true, nil
	}
	_, known := v.records[key]
	return v.loaded && out.gone && !known, v.changed
}

// watching notes how to end the watch. It gives the revision from which on it has to watch, and false if the follower must be
// loaded first.
func (v *view) watching(restart context.CancelFunc) (int64, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.restart, v.begun = restart, time.Now()
	return v.revision + 1, v.loaded
}

// hurry makes the watch begin anew, unless it has just begun.
func (v *view) hurry() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.restart != nil && time.Since(v.begun) >= hurryAfter {
		v.restart()
	}
}

// wake is called with the lock held.
func (v *view) wake() {
	close(v.changed)
	v.changed = make(chan struct{})
}
