// Package xds is the registry's xDS face (https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol): it tells gRPC clients
// and Envoy, over one ADS stream each, which endpoints serve a service, and how to call them.
//
// Each service is four resources of its name: a Listener, which leads to a RouteConfiguration, which leads to a Cluster, which leads to a
// ClusterLoadAssignment with the instances that are up. Only the last changes with the instances.
package xds

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync/atomic"
	"time"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/config"
	deltav3 "github.com/envoyproxy/go-control-plane/pkg/server/delta/v3"
	sotwv3 "github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"golang.org/x/time/rate"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// The first changes go out at once, each for itself. When many come in a row, those of one pause go out together.
const (
	pause = 20 * time.Millisecond
	burst = 5
)

// retryAfter is when trying again makes sense for who is refused.
const retryAfter = 5 * time.Second

// Server is the face: an AggregatedDiscoveryServiceServer. Whoever registers it judges who may call.
type Server struct {
	core      *registry.Registry
	cfg       Config
	grace     time.Duration
	log       *slog.Logger
	resources *resources
	patience  *patience
	refusals  *refusals
	streams   atomic.Int64 // open now
	sotw      sotwv3.Server
	delta     deltav3.Server
	ended     context.Context // of all streams
	end       context.CancelFunc
}

// New makes the face of a registry. For the grace after its start it doesn't say of any service that there is none: who asks has
// to wait, and uses meanwhile what it knows. Streams wait for Run.
func New(core *registry.Registry, cfg Config, grace time.Duration, log *slog.Logger) *Server {
	ended, end := context.WithCancel(context.Background())
	// The client tells on its next stream which versions it has. Those of another run must not look like ours.
	resources := newResources(cfg, rand.Text()[:8]+"-")
	options := []config.XDSOption{
		// What depends on others is sent after them, in the order of the updates.
		sotwv3.WithOrderedADS(),
		// To name nothing means everything for listeners and clusters only.
		config.DeactivateLegacyWildcardForTypes([]string{resourcev3.EndpointType, resourcev3.RouteType}),
	}
	return &Server{
		core: core, cfg: cfg, grace: grace, log: log,
		resources: resources, patience: newPatience(), refusals: newRefusals(log),
		sotw:  sotwv3.NewServer(ended, resources.mux, nil, options...),
		delta: deltav3.NewServer(ended, resources.mux, nil, options...),
		ended: ended, end: end,
	}
}

// Run follows the registry until the context ends. Then, or when the registry is stopped, all streams end, and new ones are
// refused.
func (s *Server) Run(ctx context.Context) error {
	defer s.end()
	if s.core.Loaded(ctx) != nil {
		return nil // the context has ended
	}
	err := s.follow(ctx)
	if fault.Is(err, fault.Unavailable) {
		s.end()
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (s *Server) follow(ctx context.Context) error {
	watch, err := s.core.Watch("", 0)
	if err != nil {
		return err
	}
	defer watch.Close()
	grace := time.AfterFunc(s.grace, s.patience.end)
	defer grace.Stop()
	pace := rate.NewLimiter(rate.Every(pause), burst)
	known := newCatalog(s.cfg.Retain)
	for {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		update, err := next(ctx, watch, known.expiry())
		if err != nil {
			return err
		}
		s.publish(known.apply(update, time.Now()))
	}
}

// next gives the next update; an empty one at the given time, unless that is zero.
func next(ctx context.Context, watch *registry.Watch, at time.Time) (registry.Update, error) {
	if at.IsZero() {
		return watch.Next(ctx)
	}
	bounded, cancel := context.WithDeadline(ctx, at)
	defer cancel()
	update, err := watch.Next(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return registry.Update{}, nil
	}
	return update, err
}

func (s *Server) publish(news news) {
	if err := s.resources.publish(news); err != nil {
		s.log.Error("xds: resources can't be told", "error", err)
	}
	s.patience.know(news.added, news.removed)
}

func stopping() error {
	f := fault.New(fault.Unavailable, "the registry is stopping: connect again")
	f.RetryAfter = retryAfter
	return f
}

func exhausted(format string, args ...any) error {
	f := fault.New(fault.Exhausted, format, args...)
	f.RetryAfter = retryAfter
	return f
}
