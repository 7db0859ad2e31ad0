//go:build linux

package scale

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
)

const (
	// perConnection is how many Join streams share a connection: half of what a server of the mesh allows.
	perConnection = 500
	// atOnce is how many instances join at the same time.
	atOnce = 128
)

// crowd is all instances, each on a Join stream of its own.
type crowd struct {
	size    Size
	members []*member
	conns   []*grpc.ClientConn
	ctx     context.Context // of the streams
	cancel  context.CancelFunc
	beating sync.WaitGroup

	mu  sync.Mutex
	err error // the first of a heartbeat
}

func newCrowd(size Size) *crowd {
	c := &crowd{size: size}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// member is one instance. Its stream is used by one goroutine at a time.
type member struct {
	mu       sync.Mutex
	stream   registryv1.RegistryService_JoinClient
	instance *registryv1.Instance
}

// join makes all join, and tells how long each took. From then on they send heartbeats.
func (c *crowd) join(ctx context.Context, t *target) ([]time.Duration, error) {
	for range (c.size.Instances + perConnection - 1) / perConnection {
		conn, err := t.dial()
		if err != nil {
			return nil, err
		}
		c.conns = append(c.conns, conn)
	}
	took := make([]time.Duration, c.size.Instances)
	c.members = make([]*member, c.size.Instances)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for n := range c.size.Instances {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			begin := time.Now()
			err := c.add(n)
			took[n] = time.Since(begin)
			return err
		})
	}
	return took, group.Wait()
}

// add makes one instance join. Its address is nobody's.
func (c *crowd) add(n int) error {
	stream, err := registryv1.NewRegistryServiceClient(c.conns[n/perConnection]).Join(c.ctx)
	if err != nil {
		return err
	}
	m := &member{stream: stream, instance: &registryv1.Instance{
		Service: serviceName(n % c.size.Services), Id: fmt.Sprintf("host-%d", n), Status: registryv1.Instance_UP,
		Address:  fmt.Sprintf("10.%d.%d.%d:8080", n>>16, n>>8&0xff, n&0xff),
		Metadata: map[string]string{"version": "0123456789ab"},
	}}
	c.members[n] = m
	term, err := m.say(m.instance)
	if err != nil {
		return fmt.Errorf("instance %d: %w", n, err)
	}
	c.beating.Go(func() { c.beat(m, term/3) })
	return nil
}

func serviceName(n int) string { return fmt.Sprintf("service-%d", n) }

// say sends news, or a heartbeat if there is none, and gives the term that the registry answers.
func (m *member) say(instance *registryv1.Instance) (time.Duration, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// If it can't be sent, the reason comes with the answer.
	_ = m.stream.Send(&registryv1.JoinRequest{Instance: instance})
	answer, err := m.stream.Recv()
	return answer.GetTerm().AsDuration(), err
}

// beat sends heartbeats until the end.
func (c *crowd) beat(m *member, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-c.ctx.Done():
			return
		}
		if _, err := m.say(nil); err != nil {
			if c.ctx.Err() == nil {
				c.fail(fmt.Errorf("instance %s was dropped: %w", m.instance.GetId(), err))
			}
			return
		}
	}
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// failed tells whether any instance was dropped.
func (c *crowd) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *crowd) end() {
	c.cancel()
	c.beating.Wait()
	for _, conn := range c.conns {
		_ = conn.Close() // nothing is lost with it
	}
}
