package app_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/internal/api"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

// Servers close connections that have become old, whatever goes on in them. A member must have moved by then: a stream
// that breaks takes its instance away.
func TestAMemberOutlivesItsConnectionsUnseen(t *testing.T) {
	t.Parallel()
	const term, age = 900 * time.Millisecond, time.Second
	core := registry.New(registry.Settings{Term: term, MaxInstances: 10, MaxSize: 1000, MaxWatchers: 10}, memory.New(), registry.Node{Name: "a", Run: "1"})
	running, stop := context.WithCancel(t.Context())
	coreEnded := make(chan error, 1)
	go func() { coreEnded <- core.Run(running) }()
	t.Cleanup(func() { stop(); <-coreEnded })
	ended := &connections{}
	server := grpc.NewServer(grpc.StatsHandler(ended),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: age, MaxConnectionAgeGrace: 3 * age}))
	registryv1.RegisterRegistryServiceServer(server, api.New(core, term))
	listener := meshtest.Listen(t)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	watch, err := core.Watch("event", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Close()
	client := registryv1.NewRegistryServiceClient(meshtest.Dial(t, listener.Addr().String()))
	member := discovery.NewMember(client, instance("event", "a"), slog.New(slog.NewTextHandler(t.Output(), nil)))
	go func() { coreEnded <- member.Run(running) }()
	t.Cleanup(func() { stop(); <-coreEnded })
	<-member.Joined()
	for seen := 0; seen != 1; {
		update, err := watch.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen = len(update.Changed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*age)
	defer cancel()
	if update, err := watch.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a change was seen: %+v, error %v", update, err)
	}
	if n := ended.count.Load(); n < 2 {
		t.Errorf("%d connections ended, too few to prove anything", n)
	}
}

// connections counts those that a server has closed.
type connections struct{ count atomic.Int32 }

func (*connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*connections) HandleRPC(context.Context, stats.RPCStats)                         {}
func (*connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (c *connections) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnEnd); ok {
		c.count.Add(1)
	}
}
