//go:build linux

package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/e2e/process"
	"eventprospect/mesh/meshtest/ports"
)

// askPatience bounds how long a broker is waited for each time that it is asked.
const askPatience = 2 * time.Second

// broker is one broker. Its id is one more than its index.
type broker struct {
	node
	id               int
	plain, sasl, tls string // hosts and ports
	through          string // where clients come to that a proxy leads, and
	advertised       string // where that proxy is; "" if there is none
	controller       string // the same of its controller; "" if it has none
}

// answers checks that the broker answers, and knows itself among those that serve.
func (b *broker) answers(ctx context.Context) error {
	if err := process.Accepts(b.plain)(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.plain))
	if err != nil {
		return err
	}
	defer client.Close()
	cluster, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		return err
	}
	if !slices.Contains(cluster.Brokers.NodeIDs(), int32(b.id)) {
		return fmt.Errorf("broker %d is not among those that serve", b.id)
	}
	return nil
}

// newBrokers gives each broker its addresses, all different.
func newBrokers(o Options) ([]*broker, error) {
	const each = 5
	free, err := ports.Addresses(each * o.Brokers)
	if err != nil {
		return nil, err
	}
	var all []*broker
	for i := range o.Brokers {
		b := &broker{id: i + 1, plain: free[each*i]}
		b.name, b.folder, b.ready = fmt.Sprintf("broker-%d", b.id), o.Folder, b.answers
		if o.Secure != nil {
			b.sasl, b.tls = free[each*i+1], free[each*i+2]
		}
		if !o.ZooKeeper {
			b.controller = free[each*i+3]
		}
		if o.Through != nil {
			b.through = free[each*i+4]
			if b.advertised, err = o.Through(i, b.through); err != nil {
				return nil, err
			}
		}
		all = append(all, b)
	}
	return all, nil
}
