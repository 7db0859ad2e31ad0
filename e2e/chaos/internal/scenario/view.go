//go:build linux

package scenario

import (
	"slices"
	"sync"

	registryv1 "eventprospect/gen/registry/v1"
)

// view is what one registry says of the instances of one service, and how often it has said that one is gone that was alive. It is
// safe for concurrent use.
type view struct {
	mu       sync.Mutex
	up       map[string]string // addresses by id
	expected map[string]bool   // addresses of instances that live and were seen
	missing  map[string]bool   // of those, the ones that it doesn't show
	wrong    int
	cut      bool // the stream has broken: what is known may be old
}

func newView() *view {
	return &view{up: map[string]string{}, expected: map[string]bool{}, missing: map[string]bool{}, cut: true}
}

// take takes in a change. Changes that others follow at once are not looked at before those are in.
func (v *view) take(change *registryv1.WatchResponse) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if change.GetSnapshot() {
		clear(v.up)
	}
	for _, i := range change.GetInstances() {
		v.up[i.GetId()] = i.GetAddress()
	}
	for _, id := range change.GetRemovedIds() {
		delete(v.up, id)
	}
	if change.GetMore() {
		return
	}
	v.cut = false
	for address := range v.expected {
		switch shown := v.shows(address); {
		case shown:
			delete(v.missing, address)
		case !v.missing[address]:
			v.missing[address] = true
			v.wrong++
		}
	}
}

// shows needs the lock.
func (v *view) shows(address string) bool {
	for _, up := range v.up {
		if up == address {
			return true
		}
	}
	return false
}

// lose notes that the stream has broken.
func (v *view) lose() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut = true
}

// expect notes that an instance is alive, if the registry shows it, and tells whether it does.
func (v *view) expect(address string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cut || !v.shows(address) {
		return false
	}
	v.expected[address] = true
	return true
}

// rid tells whether the registry shows the instance no more, or can't be asked.
func (v *view) rid(address string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.cut || !v.shows(address)
}

// excuse notes that an instance is about to be killed, halted or stopped: it may go.
func (v *view) excuse(address string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.expected, address)
	delete(v.missing, address)
}

// wronged is how often an instance that was alive was not shown.
func (v *view) wronged() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.wrong
}

// addresses are those that are shown.
func (v *view) addresses() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []string
	for _, address := range v.up {
		all = append(all, address)
	}
	slices.Sort(all)
	return all
}
