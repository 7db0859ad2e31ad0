package xds

import (
	"context"
	"errors"
	"sync"

	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
)

const (
	// maxViews bounds the zones of clients that are told apart: each takes memory of its own.
	maxViews = 64
	// maxZone bounds the name of a zone, in bytes, as the contract does.
	maxZone = 64
)

// nowhere is the view of clients whose zone makes no difference.
const nowhere = ""

// views are the endpoints as clients of different zones see them: those of their own zone first. A view exists as long as
// there are clients.
type views struct {
	cfg      Config
	newCache func() *cachev3.LinearCache

	mu        sync.Mutex // guards what follows, but is not held while a cache answers a client
	endpoints map[string][]endpoint
	byZone    map[string]*view
}

type view struct {
	cache   *cachev3.LinearCache
	clients int
}

func newViews(cfg Config, newCache func() *cachev3.LinearCache) *views {
	return &views{
		cfg: cfg, newCache: newCache, endpoints: map[string][]endpoint{},
		byZone: map[string]*view{nowhere: {cache: newCache()}},
	}
}

// enter gives the view for a client of a zone; who enters has to leave.
func (v *views) enter(zone string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(zone) > maxZone || !v.cfg.anyZonePriority() {
		zone = nowhere
	}
	seen := v.byZone[zone]
	if seen == nil {
		if len(v.byZone) > maxViews {
			return v.enterNowhere(), nil
		}
		seen = &view{cache: v.newCache()}
		if err := seen.cache.UpdateResources(v.see(v.endpoints, zone), nil); err != nil {
			return v.enterNowhere(), err
		}
		v.byZone[zone] = seen
	}
	seen.clients++
	return zone, nil
}

func (v *views) enterNowhere() string {
	v.byZone[nowhere].clients++
	return nowhere
}

func (v *views) leave(zone string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	seen := v.byZone[zone]
	if seen.clients--; seen.clients == 0 && zone != nowhere {
		delete(v.byZone, zone)
	}
}

// update changes the endpoints of services, and removes services.
func (v *views) update(changed map[string][]endpoint, removed []string) error {
	if len(changed)+len(removed) == 0 {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, endpoints := range changed {
		v.endpoints[name] = endpoints
	}
	for _, name := range removed {
		delete(v.endpoints, name)
	}
	var errs []error
	for zone, seen := range v.byZone {
		errs = append(errs, seen.cache.UpdateResources(v.see(changed, zone), removed))
	}
	return errors.Join(errs...)
}

// see gives the endpoints as seen from a zone.
func (v *views) see(services map[string][]endpoint, zone string) map[string]types.Resource {
	seen := make(map[string]types.Resource, len(services))
	for name, endpoints := range services {
		seen[name] = assignment(name, endpoints, v.cfg.policy(name), zone)
	}
	return seen
}

func (v *views) cache(zone string) *cachev3.LinearCache {
	v.mu.Lock()
	defer v.mu.Unlock()
	if seen := v.byZone[zone]; seen != nil {
		return seen.cache
	}
	return v.byZone[nowhere].cache
}

// CreateWatch implements cache.Cache.
func (v *views) CreateWatch(request *cachev3.Request, sub cachev3.Subscription, to chan cachev3.Response) (func(), error) {
	return v.cache(request.GetNode().GetLocality().GetZone()).CreateWatch(request, sub, to)
}

// CreateDeltaWatch implements cache.Cache.
func (v *views) CreateDeltaWatch(request *cachev3.DeltaRequest, sub cachev3.Subscription, to chan cachev3.DeltaResponse) (func(), error) {
	return v.cache(request.GetNode().GetLocality().GetZone()).CreateDeltaWatch(request, sub, to)
}

// Fetch implements cache.Cache; nobody polls.
func (v *views) Fetch(context.Context, *cachev3.Request) (cachev3.Response, error) {
	return nil, errors.New("endpoints are not polled")
}
