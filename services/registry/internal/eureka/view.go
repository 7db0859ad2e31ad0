package eureka

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// deltaAge is how old a written delta may be while nothing changes: for so long it tells changes that have left the window, which does
// no harm (deltaRetentionTimerIntervalInMs).
const deltaAge = 30 * time.Second

// view is what the face reads from: it follows the registry when it is asked, and writes each document once as long as nothing changes.
type view struct {
	core *registry.Registry
	now  func() time.Time

	mu        sync.Mutex // guards the rest; a document is written with it held, so that no two write the same
	watch     *registry.Watch
	state     *state
	all       [forms]*document
	delta     [forms]*document
	deltaTime time.Time // of the oldest delta
}

func newView(core *registry.Registry, now func() time.Time) *view {
	return &view{core: core, now: now, state: newState()}
}

// document is an answer; it is compressed once.
type document struct {
	plain  []byte
	packed func() []byte
}

func newDocument(plain []byte) *document {
	return &document{plain, sync.OnceValue(func() []byte { return pack(plain) })}
}

// pack favours speed: the list of a busy registry is packed often.
func pack(plain []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level exists
	_, _ = w.Write(plain)                           // memory takes it
	_ = w.Close()
	return b.Bytes()
}

// refresh takes in what changed since the last call, all that was committed before this one. The lock is held.
func (v *view) refresh() error {
	if v.watch == nil {
		watch, err := v.core.Watch("", 0)
		if err != nil {
			return err
		}
		v.watch = watch
	}
	// A context that has ended makes Next give what there is instead of waiting.
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		update, err := v.watch.Next(ended)
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		v.state.apply(update, v.now())
		v.all, v.delta = [forms]*document{}, [forms]*document{}
	}
}

// apps gives all instances. It fails as the registry's Watch does, like all that follow.
func (v *view) apps(f form) (*document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(); err != nil {
		return nil, err
	}
	if v.all[f] == nil {
		v.all[f] = newDocument(renderApps(f, v.listing(v.state.list(f, nil))))
	}
	return v.all[f], nil
}

// changes gives the delta.
func (v *view) changes(f form) (*document, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(); err != nil {
		return nil, err
	}
	now := v.now()
	if now.Sub(v.deltaTime) > deltaAge {
		v.delta, v.deltaTime = [forms]*document{}, now
		v.state.apply(registry.Update{Revision: v.state.revision}, now) // forgets what has left the window
	}
	if v.delta[f] == nil {
		v.delta[f] = newDocument(renderApps(f, v.listing(v.state.delta(f))))
	}
	return v.delta[f], nil
}

// some gives the instances that are wanted; nil if there is none.
func (v *view) some(f form, wanted func(*info) bool) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(); err != nil {
		return nil, err
	}
	groups := v.state.list(f, wanted)
	if len(groups) == 0 {
		return nil, nil
	}
	return renderApps(f, v.listing(groups)), nil
}

// app gives one application; nil if there is none.
func (v *view) app(f form, name string) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(); err != nil {
		return nil, err
	}
	g := v.state.app(f, strings.ToLower(name), nil)
	if len(g.parts) == 0 {
		return nil, nil
	}
	return renderApp(f, g), nil
}

// find gives the first instance of an id, of whatever application; nil if there is none.
func (v *view) find(id string) (*info, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(); err != nil {
		return nil, err
	}
	var found *entry
	for _, members := range v.state.services {
		if e := members[id]; e != nil && (found == nil || e.info.App < found.info.App) {
			found = e
		}
	}
	if found == nil {
		return nil, nil
	}
	return found.info, nil
}

// overrides gives the statuses that were set from outside, by id.
func (v *view) overrides() (map[string]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.refresh(); err != nil {
		return nil, err
	}
	set := map[string]string{}
	for _, members := range v.state.services {
		for id, e := range members {
			if e.instance.Override != 0 {
				set[id] = e.info.OverriddenStatus
			}
		}
	}
	return set, nil
}

func (v *view) listing(groups []group) listing {
	return listing{v.state.revision, v.state.hash(), groups}
}

// hasVIP tells whether a list of virtual addresses, parted by commas, holds one.
func hasVIP(list, vip string) bool {
	if !strings.Contains(list, vip) {
		return false
	}
	return slices.ContainsFunc(strings.Split(list, ","), func(one string) bool { return strings.TrimSpace(one) == vip })
}
