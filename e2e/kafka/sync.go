//go:build linux

package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// askEvery is how often it is asked whether the brokers are in sync.
const askEvery = 100 * time.Millisecond

// AwaitInSync waits until every broker that keeps a partition has all records of it: then any one of them may die.
func (c *Cluster) AwaitInSync(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Addresses()...))
	if err != nil {
		return err
	}
	defer client.Close()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		err := inSync(ctx, kadm.NewClient(client))
		if err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return err
		}
	}
}

func inSync(ctx context.Context, admin *kadm.Client) (err error) {
	topics, err := admin.ListTopicsWithInternal(ctx)
	if err != nil {
		return err
	}
	topics.EachPartition(func(p kadm.PartitionDetail) {
		switch {
		case p.Err != nil:
			err = fmt.Errorf("%s/%d: %w", p.Topic, p.Partition, p.Err)
		case len(p.ISR) < len(p.Replicas):
			err = fmt.Errorf("%s/%d is kept by %v, of which %v are in sync", p.Topic, p.Partition, p.Replicas, p.ISR)
		}
	})
	return err
}
