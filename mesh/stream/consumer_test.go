package stream

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestConsumerKeepsTheOrderOfEachPartition(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	start(t, newConsumer(t, b, j.handle).Run)
	b.topics(t)
	for p := range b.cfg.Partitions {
		b.produce(t, numbered(p, 0, 200)...)
	}
	eventually(t, "all are applied", func() bool { return j.count() >= 600 })
	for p := range b.cfg.Partitions {
		if got := j.values(p); len(got) != 200 || !slices.IsSorted(got) {
			t.Errorf("partition %d: %d records: %v", p, len(got), got)
		}
		eventually(t, "all are committed", func() bool { return b.committed(t, p) == 200 })
	}
}

func TestConsumerFallsBehindAndCatchesUp(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	const room, total = 20 * overhead, 1000
	b.produce(t, numbered(0, 0, total)...)
	free := make(chan struct{})
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		<-free
		return j.handle(ctx, r)
	})
	c.room = room
	start(t, c.Run)
	eventually(t, "the partition isn't fetched any more", func() bool { return len(c.client.PauseFetchPartitions(nil)) > 0 })
	close(free)
	eventually(t, "all are applied", func() bool { return j.count() >= total })
	if got := j.values(0); len(got) != total || !slices.IsSorted(got) {
		t.Errorf("%d records, in order: %v", len(got), slices.IsSorted(got))
	}
}

func TestAPartitionThatComesBackIsFetchedAgain(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	c := newConsumer(t, b, refuse)
	t.Cleanup(c.client.Close)
	for name, giveUp := range map[string]func(context.Context, *kgo.Client, map[string][]int32){"released": c.release, "lost": c.lose} {
		mine := map[string][]int32{b.cfg.Topic: {1}}
		c.client.PauseFetchPartitions(mine)
		giveUp(t.Context(), c.client, mine)
		if paused := c.client.PauseFetchPartitions(nil); len(paused) > 0 {
			t.Errorf("%s: it isn't fetched: %v", name, paused)
		}
	}
}

func TestConsumerStoppedBeforeSuccessLeavesTheRecordToTheNext(t *testing.T) {
	t.Parallel()
	b, first, second := newBroker(t), &journal{}, &journal{}
	b.topics(t)
	b.produce(t, numbered(0, 0, 5)...)
	failing := make(chan struct{}, 1000)
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Value) == "00002" {
			failing <- struct{}{}
			return errAway
		}
		return first.handle(ctx, r)
	})
	c.attempts = 1000
	stop := start(t, c.Run)
	<-failing
	stop()
	start(t, newConsumer(t, b, second.handle).Run)
	eventually(t, "the next one applies the rest", func() bool { return second.has("00004") })
	if got := first.values(0); !slices.Equal(got, []string{"00000", "00001"}) {
		t.Errorf("the first one applied %v", got)
	}
	if got := second.values(0); !slices.Equal(got, []string{"00002", "00003", "00004"}) {
		t.Errorf("the second one applied %v", got)
	}
}

func TestConsumerFinishesTheRecordInHandWhenStopped(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	b.produce(t, numbered(0, 0, 2)...)
	inHand, free := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		close(inHand) // panics, were there a second record
		<-free
		if err := ctx.Err(); err != nil {
			t.Errorf("the attempt was cut off: %v", err)
		}
		return j.handle(ctx, r)
	})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Run(ctx) }()
	<-inHand
	cancel()
	eventually(t, "the partition is to be given up", func() bool { return len(c.open()) == 0 })
	close(free)
	<-ended
	if got, at := j.count(), b.committed(t, 0); got != 1 || at != 1 {
		t.Errorf("%d applied, committed up to %d, want 1 and 1", got, at)
	}
}

// A process has 4 s to stop (mesh.Defaults), whatever hangs.
func TestConsumerStopsAlthoughAnAttemptHangs(t *testing.T) {
	t.Parallel()
	for name, obeys := range map[string]bool{"and is cut off": true, "and can't be cut off": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t)
			b.topics(t)
			b.produce(t, numbered(0, 0, 1)...)
			asked, end := make(chan struct{}), make(chan struct{})
			t.Cleanup(func() { close(end) })
			stop := start(t, newConsumer(t, b, func(ctx context.Context, _ *kgo.Record) error {
				close(asked)
				if obeys {
					<-ctx.Done()
				} else {
					<-end
				}
				return errAway
			}).Run)
			<-asked
			began := time.Now()
			stop()
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("the stop took %v", took)
			}
			if at := b.committed(t, 0); at > 0 {
				t.Errorf("committed up to %d, although nothing was applied", at)
			}
		})
	}
}

func TestFailingPartitionHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	failing, mended := make(chan struct{}, 1000), make(chan struct{})
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		select {
		case <-mended:
		default:
			if r.Partition == 0 {
				failing <- struct{}{}
				return errAway
			}
		}
		return j.handle(ctx, r)
	})
	c.attempts = 1 << 30
	start(t, c.Run)
	b.produce(t, numbered(0, 0, 3)...)
	<-failing
	// Several polls and commits, all while partition 0 waits.
	for n := range 3 {
		b.produce(t, numbered(1, n, n+1)...)
		eventually(t, "another partition goes on", func() bool { return b.committed(t, 1) == int64(n+1) })
	}
	if got := j.values(0); len(got) > 0 {
		t.Errorf("applied out of order: %v", got)
	}
	close(mended)
	eventually(t, "the partition goes on", func() bool { return len(j.values(0)) == 3 })
}

func TestConsumersShareTheWorkAndLoseNothing(t *testing.T) {
	t.Parallel()
	b, first, second := newBroker(t), &journal{}, &journal{}
	b.topics(t)
	failing := make(chan struct{}, 1<<20)
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Value) == "00001" { // never settles here
			failing <- struct{}{}
			return errAway
		}
		return first.handle(ctx, r)
	})
	c.attempts = 1 << 30
	stop := start(t, c.Run)
	for p := range b.cfg.Partitions {
		b.produce(t, numbered(p, 0, 3)...)
	}
	<-failing
	start(t, newConsumer(t, b, second.handle).Run)
	eventually(t, "a partition goes to the second one, though the first one is trying", func() bool { return second.count() > 0 })
	stop()
	eventually(t, "all go to the second one", func() bool { return second.count() == 2*int(b.cfg.Partitions) })
	for p := range b.cfg.Partitions {
		if got := append(first.values(p), second.values(p)...); !slices.Equal(got, []string{"00000", "00001", "00002"}) {
			t.Errorf("partition %d: %v", p, got)
		}
	}
}

func TestConsumerGoesOnWhenTheBrokerComesBack(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	b.away(true)
	start(t, newConsumer(t, b, j.handle).Run)
	b.away(false)
	b.produce(t, numbered(0, 0, 3)...)
	eventually(t, "applied after a start without broker", func() bool { return j.has("00002") })
	b.away(true)
	b.away(false)
	b.produce(t, numbered(0, 3, 6)...)
	eventually(t, "applied after an interruption", func() bool { return j.has("00005") })
}

func TestTransientErrorIsTriedAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]func() error{
		"error": func() error { return errors.New("passing") },
		"panic": func() error { panic("passing") },
	}
	for name, fail := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, j := newBroker(t), &journal{}
			b.topics(t)
			b.produce(t, numbered(0, 0, 3)...)
			left := attempts - 1 // only one lane uses it
			start(t, newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
				if string(r.Value) == "00001" && left > 0 {
					left--
					return fail()
				}
				return j.handle(ctx, r)
			}).Run)
			eventually(t, "all are applied", func() bool { return j.count() == 3 })
			if got := j.values(0); !slices.IsSorted(got) || left != 0 {
				t.Errorf("applied %v with %d failures to come", got, left)
			}
		})
	}
}
