package storetest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// Recorder is a follower that remembers what it is told, and checks that it is told so as Follower says.
type Recorder struct {
	t  *testing.T
	mu sync.Mutex
	// batches are all since the last Load.
	batches  []registry.Batch
	revision int64
	loads    int
	records  map[registry.Key]registry.Record
	nodes    map[string]registry.Node
	changed  chan struct{}
}

// Follow makes a Recorder follow a store until the function is called, or the test ends; it is loaded.
func Follow(t *testing.T, s registry.Store) (*Recorder, func()) {
	t.Helper()
	r := &Recorder{t: t, changed: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() {
		if err := s.Follow(ctx, r); err != nil {
			t.Errorf("follow: %v", err)
		}
	})
	end := func() { cancel(); following.Wait() }
	t.Cleanup(end)
	r.Until("is loaded", func() bool { return r.loads > 0 })
	return r, end
}

// Load implements registry.Follower.
func (r *Recorder) Load(state registry.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loads++
	r.revision, r.batches = state.Revision, nil
	r.records, r.nodes = map[registry.Key]registry.Record{}, map[string]registry.Node{}
	for _, record := range state.Records {
		if record.Revision <= 0 || record.Revision > state.Revision {
			r.t.Errorf("loaded a record of revision %d at revision %d", record.Revision, state.Revision)
		}
		r.records[record.Instance.Key] = record
	}
	for _, node := range state.Nodes {
		r.nodes[node.Name] = node
	}
	r.wake()
}

// Apply implements registry.Follower.
func (r *Recorder) Apply(batch registry.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loads == 0 || batch.Revision <= r.revision {
		r.t.Errorf("told of revision %d after %d, loaded %d times", batch.Revision, r.revision, r.loads)
	}
	for _, record := range batch.Written {
		if record.Revision != batch.Revision {
			r.t.Errorf("told of a record of revision %d in revision %d", record.Revision, batch.Revision)
		}
		r.records[record.Instance.Key] = record
	}
	for _, key := range batch.Removed {
		if _, ok := r.records[key]; !ok {
			r.t.Errorf("told that %v is removed, which was not there", key)
		}
		delete(r.records, key)
	}
	for _, node := range batch.Alive {
		r.nodes[node.Name] = node
	}
	for _, name := range batch.Silent {
		delete(r.nodes, name)
	}
	r.revision = batch.Revision
	r.batches = append(r.batches, batch)
	r.wake()
}

func (r *Recorder) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Until waits until something is so. The question is asked with the recorder's lock held.
func (r *Recorder) Until(what string, is func() bool) {
	r.t.Helper()
	timeout := time.After(patience)
	for {
		r.mu.Lock()
		so, changed := is(), r.changed
		r.mu.Unlock()
		if so {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			r.t.Fatalf("waited %v until the follower %s", patience, what)
		}
	}
}

// Get gives a record as the follower knows it.
func (r *Recorder) Get(id string) (registry.Record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record, ok := r.records[Key(id)]
	return record, ok
}

// Must gives a record that the follower must know.
func (r *Recorder) Must(id string) registry.Record {
	r.t.Helper()
	record, ok := r.Get(id)
	if !ok {
		r.t.Fatalf("the follower doesn't know %q", id)
	}
	return record
}

// All gives all records as the follower knows them, by key.
func (r *Recorder) All() []registry.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.SortedFunc(maps.Values(r.records), func(a, b registry.Record) int {
		return cmp.Compare(a.Instance.ID, b.Instance.ID)
	})
}

func (r *Recorder) at() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revision
}

// UntilNode waits until a node is known by this run; empty: isn't known.
func (r *Recorder) UntilNode(name, run string) {
	r.t.Helper()
	r.Until("knows node "+name+" as "+run, func() bool { return r.nodes[name].Run == run })
}

// UntilKnows waits until a record is known.
func (r *Recorder) UntilKnows(id string) {
	r.t.Helper()
	r.Until("knows "+id, func() bool { _, ok := r.records[Key(id)]; return ok })
}

// Loads tells how often it was loaded.
func (r *Recorder) Loads() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loads
}
