//go:build linux

package scale

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	registryv1 "eventprospect/gen/registry/v1"

	"eventprospect/e2e/chaos/internal/load"
)

// gap is the time between two changes, so that the registry has no reason to put them together.
const gap = 50 * time.Millisecond

// face is one by which a client follows a service.
type face interface {
	name() string
	// follow opens a stream for a service. next blocks until something has come, and tells how many instances of the service
	// are up then.
	follow(ctx context.Context, conn *grpc.ClientConn, service string) (next func() (int, error), err error)
}

// change takes one instance out of service and back in, again and again, and looks when the last watcher has heard of it.
func (c *crowd) change(ctx context.Context, t *target, f face, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all := (c.size.Instances + c.size.Services - 1) / c.size.Services // of service 0
	a, err := gather(ctx, t, f, all)
	if err != nil {
		return err
	}
	defer a.close()
	first := a.bytes.Load()
	m, took := c.members[0], make([]time.Duration, changes)
	before, err := t.Usage()
	if err != nil {
		return err
	}
	for i := range took {
		time.Sleep(gap)
		if took[i], err = a.until(m, all, i%2 == 0); err != nil {
			return err
		}
	}
	after, err := t.Usage()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-6s %d watchers of %d instances: at first %d bytes each; a change: %d bytes each, the last has it after p50 %s, p99 %s; %s of the registry's CPU\n",
		f.name(), watchers, all, first/watchers, (a.bytes.Load()-first)/watchers/changes,
		short(load.Percentile(took, 50)), short(load.Percentile(took, 99)), short((after.CPU-before.CPU)/changes))
	return nil
}

// audience is all watchers.
type audience struct {
	conns []*grpc.ClientConn
	nexts []func() (int, error)
	bytes atomic.Int64 // received by all: messages with their gRPC prefix, without HTTP/2's frames
}

// gather makes the watchers, and waits until each knows all instances.
func gather(ctx context.Context, t *target, f face, all int) (*audience, error) {
	a := &audience{}
	for range watchers {
		conn, err := t.dial(grpc.WithStatsHandler(counter{&a.bytes}))
		if err != nil {
			a.close()
			return nil, err
		}
		a.conns = append(a.conns, conn)
		next, err := f.follow(ctx, conn, serviceName(0))
		if err != nil {
			a.close()
			return nil, err
		}
		a.nexts = append(a.nexts, next)
	}
	if err := a.await(all); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// until makes the change and waits until the last watcher has it.
func (a *audience) until(m *member, all int, leaves bool) (time.Duration, error) {
	instance, want := proto.CloneOf(m.instance), all
	if leaves {
		instance.Status, want = registryv1.Instance_OUT_OF_SERVICE, all-1
	}
	begin := time.Now()
	said := make(chan error, 1)
	go func() { _, err := m.say(instance); said <- err }()
	err := a.await(want)
	took := time.Since(begin)
	if err != nil {
		return 0, err
	}
	return took, <-said
}

// await waits until every watcher knows so many instances.
func (a *audience) await(want int) error {
	var group errgroup.Group
	for _, next := range a.nexts {
		group.Go(func() error {
			for {
				if n, err := next(); err != nil || n == want {
					return err
				}
			}
		})
	}
	return group.Wait()
}

func (a *audience) close() {
	for _, conn := range a.conns {
		_ = conn.Close() // nothing is lost with it
	}
}

// counter counts what a connection receives.
type counter struct{ bytes *atomic.Int64 }

func (c counter) HandleRPC(_ context.Context, s stats.RPCStats) {
	if in, ok := s.(*stats.InPayload); ok {
		c.bytes.Add(int64(in.WireLength))
	}
}

func (counter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (counter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (counter) HandleConn(context.Context, stats.ConnStats)                       {}
