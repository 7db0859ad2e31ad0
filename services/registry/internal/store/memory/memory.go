// Package memory keeps what registries know in memory: it is gone with the process. Instances tell it again.
package memory

import (
	"context"
	"sync"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// Memory is what any number of registries of one process know together.
type Memory struct {
	mu        sync.Mutex
	revision  int64
	records   map[registry.Key]registry.Record
	nodes     map[string]registry.Node
	followers map[registry.Follower]struct{}
}

// New makes an empty one. Its revisions are greater than those of the one before.
func New() *Memory {
	return &Memory{
		revision:  time.Now().UnixMicro(),
		records:   map[registry.Key]registry.Record{},
		nodes:     map[string]registry.Node{},
		followers: map[registry.Follower]struct{}{},
	}
}

// Commit implements registry.Store.
func (m *Memory) Commit(ctx context.Context, change registry.Change) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records[change.Key].Revision != change.Known {
		return fault.Changed("Instance", change.Key.Service+"/"+change.Key.ID)
	}
	if change.Record == nil && change.Known == 0 {
		return nil // nothing is there, as wanted
	}
	m.revision++
	batch := registry.Batch{Revision: m.revision}
	if change.Record == nil {
		delete(m.records, change.Key)
		batch.Removed = []registry.Key{change.Key}
	} else {
		record := *change.Record
		record.Revision = m.revision
		m.records[change.Key] = record
		batch.Written = []registry.Record{record}
	}
	m.tell(batch)
	return nil
}

// Follow implements registry.Store.
func (m *Memory) Follow(ctx context.Context, follower registry.Follower) error {
	m.begin(follower)
	<-ctx.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.followers, follower)
	return nil
}

func (m *Memory) begin(follower registry.Follower) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := registry.State{Revision: m.revision}
	for _, record := range m.records {
		state.Records = append(state.Records, record)
	}
	for _, node := range m.nodes {
		state.Nodes = append(state.Nodes, node)
	}
	m.followers[follower] = struct{}{}
	follower.Load(state)
}

// Announce implements registry.Store.
func (m *Memory) Announce(ctx context.Context, node registry.Node, _ time.Duration) error {
	m.mu.Lock()
	m.nodes[node.Name] = node
	m.revision++
	m.tell(registry.Batch{Revision: m.revision, Alive: []registry.Node{node}})
	m.mu.Unlock()
	<-ctx.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.nodes[node.Name] == node {
		delete(m.nodes, node.Name)
		m.revision++
		m.tell(registry.Batch{Revision: m.revision, Silent: []string{node.Name}})
	}
	return nil
}

// tell is called with the lock held, so that all hear everything in order.
func (m *Memory) tell(batch registry.Batch) {
	for follower := range m.followers {
		follower.Apply(batch)
	}
}

// Ping implements registry.Store.
func (m *Memory) Ping(context.Context) error { return nil }

// Close implements registry.Store.
func (m *Memory) Close() error { return nil }
