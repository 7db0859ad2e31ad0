package eureka

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// window is how long a change is told in the delta (retentionTimeInMSInDeltaQueue).
const window = 3 * time.Minute

// What became of an instance (InstanceInfo.ActionType).
const (
	added    = "ADDED"
	modified = "MODIFIED"
	deleted  = "DELETED"
)

// state is what the registry holds, as Eureka shows it, and what changed last. It tells every instance that changed in the window
// once, with the last that became of it; an instance that came and went between two looks was seen by nobody.
type state struct {
	revision int64
	services map[string]map[string]*entry
	statuses map[string]int // how many instances of all have which status
	changes  map[registry.Key]change
}

// entry is an instance and how it is written, in the forms that somebody asked for.
type entry struct {
	instance registry.Instance
	info     *info
	written  [forms][]byte
}

type change struct {
	action string
	time   time.Time
	info   *info
}

func newState() *state {
	return &state{services: map[string]map[string]*entry{}, statuses: map[string]int{}, changes: map[registry.Key]change{}}
}

// part gives the instance as written; whoever changes what it points to has the same bytes there.
func (e *entry) part(f form) *[]byte {
	if e.written[f] == nil {
		e.written[f] = renderPart(f, e.info)
	}
	return &e.written[f]
}

// apply takes in what changed. What is there at the first time is told as added, too: a client that comes from another
// registry, or from before this one's restart, may not know it.
func (s *state) apply(u registry.Update, now time.Time) {
	s.revision = u.Revision
	removed := u.Removed
	if u.Reset {
		removed = s.absent(u.Changed)
	}
	for _, key := range removed {
		s.remove(key, now)
	}
	for _, instance := range u.Changed {
		if !u.Reset || !s.knows(instance) {
			s.put(instance, now)
		}
	}
	maps.DeleteFunc(s.changes, func(_ registry.Key, c change) bool { return now.Sub(c.time) > window })
}

// absent gives what is known but is not among the instances.
func (s *state) absent(instances []registry.Instance) []registry.Key {
	present := make(map[registry.Key]struct{}, len(instances))
	for _, instance := range instances {
		present[instance.Key] = struct{}{}
	}
	var keys []registry.Key
	for service, members := range s.services {
		for id := range members {
			key := registry.Key{Service: service, ID: id}
			if _, ok := present[key]; !ok {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// knows tells whether an instance is known as it is.
func (s *state) knows(instance registry.Instance) bool {
	e := s.services[instance.Service][instance.ID]
	return e != nil && e.instance.UpdateTime.Equal(instance.UpdateTime) && e.instance.JoinTime.Equal(instance.JoinTime)
}

func (s *state) put(instance registry.Instance, now time.Time) {
	members := s.services[instance.Service]
	if members == nil {
		members = map[string]*entry{}
		s.services[instance.Service] = members
	}
	action := added
	if former := members[instance.ID]; former != nil {
		action = modified
		s.count(former, -1)
	}
	e := &entry{instance: instance, info: fromInstance(instance)}
	members[instance.ID] = e
	s.count(e, +1)
	s.note(instance.Key, action, e.info, now)
}

func (s *state) remove(key registry.Key, now time.Time) {
	members := s.services[key.Service]
	former := members[key.ID]
	if former == nil {
		return
	}
	s.count(former, -1)
	delete(members, key.ID)
	if len(members) == 0 {
		delete(s.services, key.Service)
	}
	s.note(key, deleted, former.info, now)
}

func (s *state) count(e *entry, n int) { s.statuses[e.info.Status] += n }

func (s *state) note(key registry.Key, action string, shown *info, now time.Time) {
	last := *shown
	last.ActionType = action
	s.changes[key] = change{action, now, &last}
}

// hash is what a client compares its own list with, once it has applied a delta: how many instances of all have which status
// (Applications.getReconcileHashCode).
func (s *state) hash() string {
	var b strings.Builder
	for _, status := range slices.Sorted(maps.Keys(s.statuses)) {
		if n := s.statuses[status]; n > 0 {
			fmt.Fprintf(&b, "%s_%d_", status, n)
		}
	}
	return b.String()
}

// list gives the instances that are wanted, by application and id; nil wants all.
func (s *state) list(f form, wanted func(*info) bool) []group {
	groups := make([]group, 0, len(s.services))
	for _, service := range slices.Sorted(maps.Keys(s.services)) {
		if g := s.app(f, service, wanted); len(g.parts) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func (s *state) app(f form, service string, wanted func(*info) bool) group {
	members := s.services[service]
	g := group{name: strings.ToUpper(service), parts: make([]*[]byte, 0, len(members))}
	for _, id := range slices.Sorted(maps.Keys(members)) {
		if e := members[id]; wanted == nil || wanted(e.info) {
			g.parts = append(g.parts, e.part(f))
		}
	}
	return g
}

// delta gives what changed, by application and id.
func (s *state) delta(f form) []group {
	var groups []group
	keys := slices.SortedFunc(maps.Keys(s.changes), func(a, b registry.Key) int {
		return strings.Compare(a.Service+"\x00"+a.ID, b.Service+"\x00"+b.ID)
	})
	for _, key := range keys {
		name, part := strings.ToUpper(key.Service), renderPart(f, s.changes[key].info)
		if len(groups) == 0 || groups[len(groups)-1].name != name {
			groups = append(groups, group{name: name})
		}
		last := &groups[len(groups)-1]
		last.parts = append(last.parts, &part)
	}
	return groups
}
