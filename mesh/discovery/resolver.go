// Package discovery finds instances through the registry, and makes one findable.
package discovery

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/grpc/resolver"

	registryv1 "eventprospect/gen/registry/v1"
)

// Scheme is that of a target resolved through the registry: mesh:///event.
const Scheme = "mesh"

// Target gives the gRPC target of a service.
func Target(service string) string { return Scheme + ":///" + service }

// NewResolver resolves mesh:///NAME by following the registry. While the registry is away, the instances last
// known stay in use.
func NewResolver(registry registryv1.RegistryServiceClient, log *slog.Logger) resolver.Builder {
	return builder{registry, log}
}

type builder struct {
	registry registryv1.RegistryServiceClient
	log      *slog.Logger
}

func (builder) Scheme() string { return Scheme }

func (b builder) Build(target resolver.Target, cc resolver.ClientConn, _ resolver.BuildOptions) (resolver.Resolver, error) {
	if target.Endpoint() == "" || target.URL.Host != "" {
		return nil, errors.New("a mesh target is written " + Target("NAME"))
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{service: target.Endpoint(), registry: b.registry, cc: cc, log: b.log, cancel: cancel, done: make(chan struct{})}
	go w.run(ctx)
	return w, nil
}

// watcher follows one service for one connection.
type watcher struct {
	service  string
	registry registryv1.RegistryServiceClient
	cc       resolver.ClientConn
	log      *slog.Logger
	cancel   context.CancelFunc
	done     chan struct{}
}

// ResolveNow does nothing: the registry tells of changes by itself.
func (*watcher) ResolveNow(resolver.ResolveNowOptions) {}

func (w *watcher) Close() {
	w.cancel()
	<-w.done
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	var pause backoff
	for ctx.Err() == nil {
		err := w.follow(ctx, &pause)
		if ctx.Err() != nil {
			return
		}
		w.log.Warn("registry watch interrupted", "watched", w.service, "error", err)
		pause.wait(ctx)
	}
}

// follow hands on what the registry says until the stream breaks.
func (w *watcher) follow(ctx context.Context, pause *backoff) error {
	stream, err := w.registry.Watch(ctx, &registryv1.WatchRequest{Service: w.service})
	if err != nil {
		return err
	}
	for {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		pause.reset()
		// An error here says that the balancer can't use the list, as when it is empty; it has taken note.
		_ = w.cc.UpdateState(resolver.State{Endpoints: endpoints(answer.GetInstances())})
	}
}

func endpoints(instances []*registryv1.Instance) []resolver.Endpoint {
	all := make([]resolver.Endpoint, len(instances))
	for i, instance := range instances {
		all[i] = resolver.Endpoint{Addresses: []resolver.Address{{Addr: instance.GetAddress()}}}
	}
	return all
}

// backoff waits longer after each failure in a row.
type backoff struct{ next time.Duration }

const (
	firstPause = 50 * time.Millisecond
	maxPause   = 2 * time.Second
)

func (b *backoff) reset() { b.next = 0 }

func (b *backoff) wait(ctx context.Context) {
	b.next = min(max(2*b.next, firstPause), maxPause)
	timer := time.NewTimer(b.next)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
