package xds

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// nameable are services whose name can be that of an xDS resource, and stand in a URL, as it is. "*" and "xdstp:" mean
// something else there.
var nameable = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// maxRetained bounds the services that are kept without instances.
const maxRetained = 1000

// catalog is what is known of the services. One goroutine uses it.
type catalog struct {
	retain   time.Duration
	services map[string]*service
	leaving  map[string]time.Time // services without instances, and when they are dropped
}

type service struct {
	members   map[string]member // by id
	published []endpoint
}

// news is what clients don't know yet.
type news struct {
	added     []string              // services that have come
	endpoints map[string][]endpoint // of services that have come or changed
	removed   []string              // services that have gone
}

func newCatalog(retain time.Duration) *catalog {
	return &catalog{retain: retain, services: map[string]*service{}, leaving: map[string]time.Time{}}
}

// apply takes in an update and gives what is new for clients.
func (c *catalog) apply(update registry.Update, now time.Time) news {
	result := news{endpoints: map[string][]endpoint{}}
	for name := range c.take(update, &result) {
		svc := c.services[name]
		endpoints := collect(svc.members)
		_, fresh := result.endpoints[name]
		if fresh || !slices.Equal(endpoints, svc.published) {
			svc.published, result.endpoints[name] = endpoints, endpoints
		}
		if len(svc.members) > 0 {
			delete(c.leaving, name)
		} else if _, known := c.leaving[name]; !known {
			c.leaving[name] = now.Add(c.retain)
		}
	}
	result.removed = c.drop(now)
	return result
}

// take puts an update into the members and gives the services that it touched.
func (c *catalog) take(update registry.Update, result *news) map[string]struct{} {
	touched := map[string]struct{}{}
	if update.Reset {
		for name, svc := range c.services {
			clear(svc.members)
			touched[name] = struct{}{}
		}
	}
	for _, instance := range update.Changed {
		svc := c.services[instance.Service]
		if svc == nil {
			if !nameable.MatchString(instance.Service) {
				continue
			}
			svc = &service{members: map[string]member{}}
			c.services[instance.Service] = svc
			result.added = append(result.added, instance.Service)
			result.endpoints[instance.Service] = nil
		}
		svc.members[instance.ID] = newMember(instance)
		touched[instance.Service] = struct{}{}
	}
	for _, key := range update.Removed {
		if svc := c.services[key.Service]; svc != nil {
			delete(svc.members, key.ID)
			touched[key.Service] = struct{}{}
		}
	}
	return touched
}

// drop forgets services that have been without instances for long enough, and the first of them if there are too many.
func (c *catalog) drop(now time.Time) []string {
	names := slices.SortedFunc(maps.Keys(c.leaving), func(a, b string) int { return c.leaving[a].Compare(c.leaving[b]) })
	keep := slices.IndexFunc(names, func(name string) bool { return c.leaving[name].After(now) })
	if keep < 0 {
		keep = len(names)
	}
	names = names[:max(keep, len(names)-maxRetained)]
	for _, name := range names {
		delete(c.services, name)
		delete(c.leaving, name)
	}
	return names
}

// expiry is when the next service has to be dropped; zero if none has.
func (c *catalog) expiry() time.Time {
	var first time.Time
	for _, at := range c.leaving {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}
