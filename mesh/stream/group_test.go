package stream

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// inbox applies each message once, as a store does, and holds that the order of each key is kept.
type inbox struct {
	mu      sync.Mutex
	applied map[string]bool
	last    map[string]string // by key
	again   int
	wrong   []string
}

func (x *inbox) handle(_ context.Context, records []*kgo.Record) []error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range records {
		key, value := string(r.Key), string(r.Value)
		if x.applied[value] {
			x.again++
			continue
		}
		if value < x.last[key] {
			x.wrong = append(x.wrong, value)
		}
		x.applied[value], x.last[key] = true, value
	}
	return nil
}

func (x *inbox) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.applied)
}

// TestMembersComeAndGoUnderLoad has members join and leave the group while messages come.
func TestMembersComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	const keys, rounds, perRound = 40, 8, 25
	b, x := newBroker(t), &inbox{applied: map[string]bool{}, last: map[string]string{}}
	b.cfg.Partitions = 6
	b.topics(t)
	member := func() (stop func()) { return start(t, newBatchConsumer(t, b, x.handle).Run) }
	members := []func(){member()}
	sent := 0
	for round := range rounds {
		for n := range perRound {
			var records []*kgo.Record
			for key := range keys {
				records = append(records, &kgo.Record{
					Partition: int32(key) % b.cfg.Partitions, Key: fmt.Appendf(nil, "%02d", key), Value: fmt.Appendf(nil, "%02d-%05d", key, round*perRound+n),
				})
			}
			b.produce(t, records...)
			sent += len(records)
		}
		eventually(t, "some are applied", func() bool { return x.count() > sent/2 })
		if len(members) < 3 {
			members = append(members, member())
		} else {
			members[0]()
			members = members[1:]
		}
	}
	eventually(t, "all are applied", func() bool { return x.count() == sent })
	for _, stop := range members {
		stop()
	}
	for p := range b.cfg.Partitions {
		if got, want := b.committed(t, p), b.end(t, p); got != want {
			t.Errorf("partition %d: committed up to %d of %d", p, got, want)
		}
	}
	if len(x.wrong) > 0 {
		t.Errorf("out of order: %v", x.wrong)
	}
	t.Logf("%d messages, %d came again", sent, x.again)
	if x.again > sent/100 {
		t.Errorf("%d of %d messages came again", x.again, sent)
	}
}

func (b *broker) end(t *testing.T, partition int32) int64 {
	t.Helper()
	ends, err := admin(b.own).ListEndOffsets(within(t), b.cfg.Topic)
	if err != nil {
		t.Fatal(err)
	}
	return ends[b.cfg.Topic][partition].Offset
}

// TestADeadMemberIsMissedSoon: what the group is told decides how long partitions of a process that was killed wait.
func TestADeadMemberIsMissedSoon(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	sessions := make(chan time.Duration, 100)
	b.ControlKey(int16(kmsg.JoinGroup), func(r kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		sessions <- time.Duration(r.(*kmsg.JoinGroupRequest).SessionTimeoutMillis) * time.Millisecond
		return nil, nil, false
	})
	start(t, newConsumer(t, b, j.handle).Run)
	if got := <-sessions; got != sessionTimeout {
		t.Errorf("the session is %v, want %v", got, sessionTimeout)
	}
}

// TestAPartitionIsGivenUpAlthoughItsRecordFails: what is tried again is the next member's.
func TestAPartitionIsGivenUpAlthoughItsRecordFails(t *testing.T) {
	t.Parallel()
	b, x := newBroker(t), &inbox{applied: map[string]bool{}, last: map[string]string{}}
	b.topics(t)
	b.produce(t, keyed(0, "a1", "b1")...)
	failing := make(chan struct{}, 1<<20)
	c := newConsumer(t, b, func(_ context.Context, r *kgo.Record) error {
		if string(r.Key) == "b" {
			failing <- struct{}{}
			return errAway
		}
		return nil
	})
	c.attempts = 1 << 30
	c.shortest, c.longest = time.Hour, time.Hour
	stop := start(t, c.Run)
	<-failing
	began := time.Now()
	stop()
	if took := time.Since(began); took > releaseTimeout {
		t.Errorf("the stop took %v", took)
	}
	if at := b.committed(t, 0); at != 1 {
		t.Errorf("committed up to %d, want 1", at)
	}
	start(t, newBatchConsumer(t, b, x.handle).Run)
	eventually(t, "the next one applies it", func() bool { return x.count() == 1 })
}

// TestWhatKafkaLostIsNotCommitted: after an unclean election a partition may end before what was committed, and other records take those places.
func TestWhatKafkaLostIsNotCommitted(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, numbered(0, 0, 5)...)
	again := make(chan struct{}, 1<<20)
	var lost atomic.Bool
	c := newConsumer(t, b, func(context.Context, *kgo.Record) error {
		if lost.Load() {
			again <- struct{}{}
			return errAway
		}
		return nil
	})
	c.attempts = 1 << 30
	start(t, c.Run)
	eventually(t, "all is committed", func() bool { return b.committed(t, 0) == 5 })
	lost.Store(true)
	// The client is set back, as it is then.
	c.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{b.cfg.Topic: {0: {Epoch: -1, Offset: 2}}})
	<-again
	eventually(t, "what isn't settled comes again", func() bool { return b.committed(t, 0) == 2 })
}
