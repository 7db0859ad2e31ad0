package web

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// board keeps what the registry knows in the order in which pages show it, for all of them together: a change costs the work of the
// services that changed, once.
type board struct {
	core *registry.Registry
	mu   sync.Mutex
	last *snapshot
}

// snapshot is what the registry knew at one revision. Nobody changes it.
type snapshot struct {
	revision int64
	groups   []*group // by name
	history  []registry.Event
	recent   memo // the block of changes on the plain page
}

// group is the instances of one service, at least one. As long as none of them changes, it is the same group.
type group struct {
	name      string
	instances []registry.Instance // by id
	count     tally
	revision  int64 // the snapshot's in which it was new
	drawn     memo  // its block on the plain page
}

func newBoard(core *registry.Registry) *board { return &board{core: core, last: &snapshot{}} }

// read gives what the registry knows now. It fails as Registry.Watch does.
func (b *board) read() (*snapshot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	watch, err := b.core.Watch("", b.last.revision)
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	// It is asked for what is there already, not for what will come.
	over, cancel := context.WithCancel(context.Background())
	cancel()
	update, err := watch.Next(over)
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		return nil, err
	default:
		b.last = b.last.after(update, b.core.History(time.Time{}))
	}
	return b.last, nil
}

// after gives what is known after an update.
func (s *snapshot) after(update registry.Update, history []registry.Event) *snapshot {
	next := &snapshot{revision: update.Revision, history: upTo(history, update.Revision)}
	if !update.Reset {
		next.groups = slices.Clone(s.groups)
	}
	changes := map[string][]registry.Instance{}
	for _, i := range update.Changed {
		changes[i.Service] = append(changes[i.Service], i)
	}
	gone := map[registry.Key]bool{}
	for _, key := range update.Removed {
		gone[key] = true
		if _, known := changes[key.Service]; !known {
			changes[key.Service] = nil
		}
	}
	for name, changed := range changes {
		next.change(name, changed, gone)
	}
	return next
}

// change replaces the group of one service.
func (s *snapshot) change(name string, changed []registry.Instance, gone map[registry.Key]bool) {
	at, known := slices.BinarySearchFunc(s.groups, name, func(g *group, name string) int { return strings.Compare(g.name, name) })
	members := map[string]registry.Instance{}
	if known {
		for _, i := range s.groups[at].instances {
			if !gone[i.Key] {
				members[i.ID] = i
			}
		}
		s.groups = slices.Delete(s.groups, at, at+1)
	}
	for _, i := range changed {
		members[i.ID] = i
	}
	if len(members) == 0 {
		return
	}
	g := &group{name: name, revision: s.revision}
	for _, i := range members {
		g.instances = append(g.instances, i)
	}
	slices.SortFunc(g.instances, func(a, b registry.Instance) int { return strings.Compare(a.ID, b.ID) })
	g.count = count(g.instances)
	s.groups = slices.Insert(s.groups, at, g)
}

// upTo leaves out what happened after a revision, so that what is told of it comes with what is shown of it.
func upTo(history []registry.Event, revision int64) []registry.Event {
	for len(history) > 0 && history[len(history)-1].Revision > revision {
		history = history[:len(history)-1]
	}
	return history
}
