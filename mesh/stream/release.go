package stream

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// release gives up partitions that go to another member of the group: what is under way in them is finished, and what they have
// settled is committed; the rest is the other member's.
func (c *Consumer) release(_ context.Context, client *kgo.Client, taken map[string][]int32) {
	lanes := c.end(client, taken)
	ctx, cancel := context.WithTimeout(context.Background(), lastCommitTimeout)
	defer cancel()
	if err := c.commit(ctx, lanes); err != nil {
		c.log.Warn("offsets not committed: some records come again", "error", err)
	}
}

// lose gives up partitions that another member may have already, so that nothing can be committed any more.
func (c *Consumer) lose(_ context.Context, client *kgo.Client, taken map[string][]int32) {
	c.end(client, taken)
}

// end ends the lanes of partitions, and returns when nothing is under way in them.
func (c *Consumer) end(client *kgo.Client, taken map[string][]int32) []*lane {
	var ending []*lane
	c.mu.Lock()
	for _, partition := range taken[c.cfg.Topic] {
		if l := c.lanes[partition]; l != nil {
			ending = append(ending, l)
			delete(c.lanes, partition)
		}
	}
	c.mu.Unlock()
	for _, l := range ending {
		l.stop()
	}
	patience, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	// An attempt that is cut off has a moment to end.
	defer context.AfterFunc(c.draining, func() { time.AfterFunc(cutOffPatience, cancel) })()
	for _, l := range ending {
		select {
		case <-l.stopped:
		case <-patience.Done():
			// It can settle nothing any more that would be committed. If it applies its records, they come again.
			c.log.Error("an attempt doesn't end: its partition is given up all the same", "partition", l.partition)
		}
	}
	client.ResumeFetchPartitions(taken) // for when they come back
	return ending
}

// commitSettled commits what the lanes settle until the context ends. What is settled during a commit is in the next, or in the one with
// which the partitions are given up.
func (c *Consumer) commitSettled(ctx context.Context) {
	wait, failing := newBackoff(c.shortest, c.longest), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.settled:
		}
		err := c.commitOpen(ctx)
		switch {
		case err == nil:
			failing = false
			wait.reset()
			continue
		case !failing && ctx.Err() == nil:
			failing = true
			c.log.Warn("offsets not committed, will be tried again", "error", err)
		}
		wait.pause(ctx)
		note(c.settled)
	}
}

// commitOpen commits what all lanes have settled.
func (c *Consumer) commitOpen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	return c.commit(ctx, c.open())
}

// open gives the lanes that there are.
func (c *Consumer) open() []*lane {
	c.mu.Lock()
	defer c.mu.Unlock()
	lanes := make([]*lane, 0, len(c.lanes))
	for _, l := range c.lanes {
		lanes = append(lanes, l)
	}
	return lanes
}

// commit commits up to where lanes have settled everything, also when stopping: that need not come again.
func (c *Consumer) commit(ctx context.Context, lanes []*lane) error {
	c.committing.Lock()
	defer c.committing.Unlock()
	offsets := map[int32]kgo.EpochOffset{}
	for _, l := range lanes {
		if at, moved := l.uncommitted(); moved && l.era == c.era {
			offsets[l.partition] = at
		}
	}
	if len(offsets) == 0 {
		return nil
	}
	if err := c.commitOffsets(ctx, offsets); err != nil {
		return err
	}
	for _, l := range lanes {
		if at, moved := offsets[l.partition]; moved {
			l.setCommitted(at)
		}
	}
	return nil
}

func (c *Consumer) commitOffsets(ctx context.Context, offsets map[int32]kgo.EpochOffset) (failed error) {
	c.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{c.cfg.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
			if failed = err; err != nil {
				return
			}
			for _, topic := range answer.Topics {
				for _, partition := range topic.Partitions {
					if err := kerr.ErrorForCode(partition.ErrorCode); err != nil {
						failed = err
					}
				}
			}
		})
	return failed
}
