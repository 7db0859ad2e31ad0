package xds

import (
	"errors"

	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

// resources are what clients can ask for. A change of one wakes only those who asked for it.
type resources struct {
	cfg                         Config
	listeners, routes, clusters *cachev3.LinearCache
	endpoints                   *views
	mux                         *cachev3.MuxCache
}

// newResources makes an empty set, whose versions begin with the prefix.
func newResources(cfg Config, prefix string) *resources {
	linear := func(typeURL string) *cachev3.LinearCache {
		return cachev3.NewLinearCache(typeURL, cachev3.WithVersionPrefix(prefix))
	}
	r := &resources{
		cfg:       cfg,
		listeners: linear(resourcev3.ListenerType), routes: linear(resourcev3.RouteType), clusters: linear(resourcev3.ClusterType),
		endpoints: newViews(cfg, func() *cachev3.LinearCache { return linear(resourcev3.EndpointType) }),
	}
	r.mux = &cachev3.MuxCache{
		Classify:      func(request *cachev3.Request) string { return request.GetTypeUrl() },
		ClassifyDelta: func(request *cachev3.DeltaRequest) string { return request.GetTypeUrl() },
		Caches: map[string]cachev3.Cache{
			resourcev3.ListenerType: r.listeners, resourcev3.RouteType: r.routes,
			resourcev3.ClusterType: r.clusters, resourcev3.EndpointType: r.endpoints,
		},
	}
	return r
}

// serves tells whether there are resources of a type at all.
func (r *resources) serves(typeURL string) bool { return r.mux.Caches[typeURL] != nil }

// publish tells what is new: what is led to before what leads there, and what goes the other way round.
func (r *resources) publish(news news) error {
	listeners, routes, clusters := map[string]types.Resource{}, map[string]types.Resource{}, map[string]types.Resource{}
	for _, name := range news.added {
		policy := r.cfg.policy(name)
		listeners[name], routes[name], clusters[name] = listener(name), route(name, policy), cluster(name, policy)
	}
	errs := []error{r.endpoints.update(news.endpoints, nil)}
	if len(news.added) > 0 {
		errs = append(errs, r.clusters.UpdateResources(clusters, nil), r.routes.UpdateResources(routes, nil),
			r.listeners.UpdateResources(listeners, nil))
	}
	if len(news.removed) > 0 {
		errs = append(errs, r.listeners.UpdateResources(nil, news.removed), r.routes.UpdateResources(nil, news.removed),
			r.clusters.UpdateResources(nil, news.removed), r.endpoints.update(nil, news.removed))
	}
	return errors.Join(errs...)
}
