// Package discovery finds instances through the registry, and makes one findable.
package discovery

import (
	"context"
	"errors"
	"log/slog"
	"slices"

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

	known view     // what the registry has said so far
	told  []string // the addresses that gRPC knows; nil: none yet
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

// follow takes in what the registry says until the stream breaks. It begins with what has changed since the last time.
func (w *watcher) follow(ctx context.Context, pause *backoff) error {
	stream, err := w.registry.Watch(ctx, &registryv1.WatchRequest{Service: w.service, Revision: w.known.revision})
	if err != nil {
		return err
	}
	next := w.known // a state that isn't complete when the stream breaks is forgotten
	for {
		answer, err := stream.Recv()
		if err != nil {
			return err
		}
		pause.reset()
		next = next.after(answer)
		if answer.GetMore() {
			continue
		}
		w.known = next
		w.tell(next.list())
	}
}

// tell hands the addresses to gRPC, unless it knows them.
func (w *watcher) tell(addresses []string) {
	if w.told != nil && slices.Equal(w.told, addresses) {
		return
	}
	w.told = addresses
	// An error here says that the balancer can't use the list, as when it is empty; it has taken note.
	_ = w.cc.UpdateState(resolver.State{Endpoints: endpoints(addresses)})
}

func endpoints(addresses []string) []resolver.Endpoint {
	all := make([]resolver.Endpoint, len(addresses))
	for i, address := range addresses {
		all[i] = resolver.Endpoint{Addresses: []resolver.Address{{Addr: address}}}
	}
	return all
}
