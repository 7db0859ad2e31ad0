package registry

import (
	"context"
	"time"
)

// Node is one run of one registry process.
type Node struct {
	// Name is the process's place, the same after a restart: two nodes that run at once have different names.
	Name string
	// Run tells a process from its predecessor.
	Run string
}

// Record is an instance as it is stored.
type Record struct {
	Instance Instance
	// Owner is the node that hears from the instance.
	Owner Node
	// Term is how long the instance stays without a sign of life.
	Term time.Duration
	// Revision is the store's when the record last changed. The store sets it; it is more than zero.
	Revision int64
}

// Change is a record to be written or, without one, removed.
type Change struct {
	Key    Key
	Record *Record
	// Known is the revision of the record that the change was made from; zero if there was none.
	Known int64
}

// State is everything that is stored.
type State struct {
	Revision int64
	Records  []Record
	Nodes    []Node
}

// Batch is what changed in one revision.
type Batch struct {
	Revision int64
	Written  []Record
	Removed  []Key
	// Alive are nodes that are heard from now, each instead of a former one of its name; Silent are names of those that aren't.
	Alive  []Node
	Silent []string
}

// Follower is told what is stored. Its methods are called one after the other.
type Follower interface {
	// Load replaces all that the follower knew.
	Load(State)
	// Apply adds a change to it.
	Apply(Batch)
}

// Store is what the registries of one mesh know together. All see the same changes, in the order of their revisions, which grow
// for ever, whatever restarts. A store that loses its data together with its only registry is one, too. Methods fail with Unavailable or
// Timeout while the store is away, and as their context does.
type Store interface {
	// Commit carries out one change, or fails with Stale if the record isn't at the known revision. If a follower
	// follows, it has seen that change, or what made it stale, when Commit returns. Concurrent changes share their cost.
	Commit(ctx context.Context, change Change) error
	// Follow loads the follower and then tells it of every change as soon as it is committed, until the context ends. It
	// stays through any outage, after which it goes on or loads anew. Only one follower follows at a time.
	Follow(ctx context.Context, follower Follower) error
	// Announce says that the node is alive, until the context ends; then it takes that back. Of a node that dies it is
	// known within the term, and at once if a node of the same name is announced.
	Announce(ctx context.Context, node Node, term time.Duration) error
	// Ping tells whether the store answers.
	Ping(ctx context.Context) error
	// Close ends all; nothing else may run.
	Close() error
}
