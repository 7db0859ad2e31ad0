package xds

import (
	"context"
	"sync"
)

// patience lets requests wait for services that a fresh registry doesn't know yet. A client takes an answer without them for
// the news that they are gone.
type patience struct {
	mu      sync.Mutex
	loaded  bool                // something was heard from the registry
	over    bool                // what isn't known now doesn't exist
	known   map[string]struct{} // as long as it isn't over
	changed chan struct{}       // closed when one has to look again
}

func newPatience() *patience {
	return &patience{known: map[string]struct{}{}, changed: make(chan struct{})}
}

// know tells which services have come and gone.
func (p *patience) know(added, removed []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loaded && p.over {
		return
	}
	p.loaded = true
	for _, name := range added {
		p.known[name] = struct{}{}
	}
	for _, name := range removed {
		delete(p.known, name)
	}
	p.wake()
}

// end says that there has been enough waiting.
func (p *patience) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.wake()
}

// wake is called with the lock held.
func (p *patience) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait returns when a request for these services can be answered; without names it is for all. It fails as the context does.
func (p *patience) wait(ctx context.Context, names []string) error {
	for {
		changed := p.look(names)
		if changed == nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look gives what to wait for, or nil.
func (p *patience) look(names []string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loaded && (p.over || p.knows(names)) {
		return nil
	}
	return p.changed
}

func (p *patience) knows(names []string) bool {
	for _, name := range names {
		if _, ok := p.known[name]; !ok {
			return false
		}
	}
	return len(names) > 0
}
