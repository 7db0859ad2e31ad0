//go:build linux

// Package kafka runs Apache Kafka: brokers in processes of their own, on free ports of loopback and with data in a folder, which
// can be killed and started again. It comes from Maven Central; Maven and Java must be there.
package kafka

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// startPatience bounds how long a broker may take to answer, endPatience how long to stop.
	startPatience = 3 * time.Minute
	endPatience   = 30 * time.Second
	// brokerHeap is what three brokers and their clients can have on a small machine.
	brokerHeap = "384m"
)

// Options say which cluster to start.
type Options struct {
	// Folder is where the brokers keep data and logs.
	Folder string
	// Brokers is how many there are. Three keep each record thrice, and go on when any one of them dies.
	Brokers int
	// Secure gives the brokers listeners by SASL; nil: none.
	Secure *Secure
	// Through gives each broker one more listener, at an address that it is told, and makes it advertise there what it returns: the
	// address of a proxy. Clients that come by a proxy are led to the proxies alone; brokers speak to each other directly. nil: none.
	Through func(broker int, address string) (advertised string, err error)
	// ZooKeeper runs Kafka 3.9 on a ZooKeeper, with one broker; otherwise Kafka 4 runs on controllers of its own (KRaft).
	ZooKeeper bool
}

// Cluster is brokers that were started. One goroutine at a time kills and starts them; the addresses stay the same.
type Cluster struct {
	brokers   []*broker
	zookeeper *node // nil if there is none
}

// Start starts a cluster and returns when every broker answers. If it can't be, nothing is left running.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{}
	if err := c.start(ctx, o); err != nil {
		c.Stop()
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) (err error) {
	if o.Brokers < 1 || o.ZooKeeper && o.Brokers > 1 {
		return fmt.Errorf("%d brokers can't be started", o.Brokers)
	}
	if o.Secure != nil {
		if err := o.Secure.prepare(o.Folder); err != nil {
			return err
		}
	}
	if o.ZooKeeper {
		err = c.prepareOld(ctx, o)
	} else {
		err = c.prepare(ctx, o)
	}
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, b := range c.brokers {
		group.Go(func() error { return b.start(ctx) }) // they wait for each other
	}
	return group.Wait()
}

// Addresses are the hosts and ports of all brokers, to begin with, in plaintext. Where the cluster is secure, who comes there is
// its administrator.
func (c *Cluster) Addresses() []string {
	return c.addresses(func(b *broker) string { return b.plain })
}

// SASLAddresses are those by SASL in plaintext, where the cluster is secure.
func (c *Cluster) SASLAddresses() []string {
	return c.addresses(func(b *broker) string { return b.sasl })
}

// TLSAddresses are those by SASL and TLS, where the cluster is secure.
func (c *Cluster) TLSAddresses() []string {
	return c.addresses(func(b *broker) string { return b.tls })
}

func (c *Cluster) addresses(of func(*broker) string) []string {
	var all []string
	for _, b := range c.brokers {
		all = append(all, of(b))
	}
	return all
}

// Kill ends a broker at once (SIGKILL).
func (c *Cluster) Kill(i int) { c.brokers[i].kill() }

// End asks a broker to stop, and returns when it has. With a majority of its cluster away, one can't stop as it should, and is
// killed after half a minute.
func (c *Cluster) End(i int) { c.brokers[i].running.End(endPatience) }

// Halt stops a broker from running (SIGSTOP) without its doing: its connections stay open.
func (c *Cluster) Halt(i int) error { return c.brokers[i].running.Halt() }

// Resume lets a halted broker run on.
func (c *Cluster) Resume(i int) error { return c.brokers[i].running.Resume() }

// Restart starts a broker that was killed or has ended, on the same data and ports, and returns when it answers.
func (c *Cluster) Restart(ctx context.Context, i int) error { return c.brokers[i].start(ctx) }

// Stop kills all: the data of a cluster that nobody uses any more needs no care.
func (c *Cluster) Stop() {
	for _, b := range c.brokers {
		b.kill()
	}
	if c.zookeeper != nil {
		c.zookeeper.kill()
	}
}

// LastWords is the end of what each broker wrote: warnings and errors.
func (c *Cluster) LastWords() string {
	var all strings.Builder
	for _, b := range c.brokers {
		fmt.Fprintf(&all, "--- %s\n%s\n", b.name, b.lastWords())
	}
	return all.String()
}
