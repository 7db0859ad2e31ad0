package stream

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestConsumerStopsAlthoughKafkaIsSilent: it takes connections and requests and answers none, and a commit waits for it. The stop takes 3.5 s,
// and a process has 4 s (mesh.Defaults); the client left to itself would take some seconds more.
func TestConsumerStopsAlthoughKafkaIsSilent(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, numbered(0, 0, 1)...)
	b.own.Close() // it would wait for an answer, too
	c := newConsumer(t, b, func(context.Context, *kgo.Record) error {
		b.silent.Store(true)
		return nil
	})
	stop := start(t, c.Run)
	eventually(t, "a commit is under way", func() bool {
		none := c.committing.TryLock()
		if none {
			c.committing.Unlock()
		}
		return !none
	})
	began := time.Now()
	stop()
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// TestAnAttemptThatEndsLateLeavesItsPartitionAlone: the partition has come back meanwhile, and another lane decides whether it is fetched.
func TestAnAttemptThatEndsLateLeavesItsPartitionAlone(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	asked, free := make(chan struct{}), []chan struct{}{make(chan struct{}), make(chan struct{})}
	var calls atomic.Int32
	c := newBatchConsumer(t, b, func(context.Context, []*kgo.Record) []error {
		mine := free[calls.Add(1)-1]
		asked <- struct{}{}
		<-mine
		return nil
	})
	t.Cleanup(c.client.Close)
	c.room = 3 * overhead
	draining, cutOff := context.WithCancel(t.Context())
	cutOff() // so that it is given up soon
	c.draining = draining
	open := func() *lane {
		c.enqueue(t.Context(), kgo.FetchPartition{Records: keyed(0, "a1", "b1", "c1", "d1")})
		<-asked
		return c.open()[0]
	}
	first := open()
	c.lose(t.Context(), c.client, map[string][]int32{b.cfg.Topic: {0}})
	second := open()
	close(free[0])
	<-first.stopped
	if paused := c.client.PauseFetchPartitions(nil); len(paused) == 0 {
		t.Error("the partition is fetched, although its lane is full")
	}
	second.stop()
	close(free[1])
	<-second.stopped
}
