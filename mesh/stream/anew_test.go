package stream

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/fault"
)

func (b *broker) remove(t *testing.T, topic string) {
	t.Helper()
	if _, err := admin(b.own).DeleteTopic(within(t), topic); err != nil {
		t.Fatal(err)
	}
}

// create creates a topic that may have been removed: Kafka deletes it a while later.
func (b *broker) create(t *testing.T, topic string, partitions int32) {
	t.Helper()
	eventually(t, "the topic is created", func() bool {
		_, err := admin(b.own).CreateTopic(within(t), partitions, 1, nil, topic)
		return err == nil
	})
	b.own.PurgeTopicsFromProducing(topic) // the test's own client knows the old one
}

// TestATopicThatIsMadeAnewIsConsumed by all members, however many partitions it has.
func TestATopicThatIsMadeAnewIsConsumed(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int32{3, 1, 6} {
		t.Run(fmt.Sprint(partitions), func(t *testing.T) {
			t.Parallel()
			b, j := newBroker(t), &journal{}
			b.topics(t)
			for range 2 {
				start(t, newConsumer(t, b, j.handle).Run)
			}
			for p := range b.cfg.Partitions {
				b.produce(t, numbered(p, 0, 20)...)
			}
			eventually(t, "the old ones are applied", func() bool { return j.count() == 60 })
			b.remove(t, b.cfg.Topic)
			b.create(t, b.cfg.Topic, partitions)
			for p := range partitions {
				b.produce(t, numbered(p, 100, 130)...)
			}
			eventually(t, "the new ones are applied", func() bool { return j.count() >= 60+30*int(partitions) })
			for p := range partitions {
				eventually(t, "they are committed", func() bool { return b.committed(t, p) == 30 })
			}
		})
	}
}

// TestWhatOfATopicIsInHandSaysNothingOfTheNextOne: were the old offset committed there, its first records would be passed over.
func TestWhatOfATopicIsInHandSaysNothingOfTheNextOne(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	tried, goOn := make(chan struct{}, 100), make(chan struct{})
	start(t, newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Value) == "x1" {
			tried <- struct{}{}
			<-goOn
		}
		return j.handle(ctx, r)
	}).Run)
	b.produce(t, keyed(0, "a1", "b1", "c1", "x1")...)
	<-tried
	b.remove(t, b.cfg.Topic)
	b.create(t, b.cfg.Topic, 3)
	b.produce(t, numbered(0, 0, 10)...)
	close(goOn)
	eventually(t, "all of the new one are applied", func() bool { return len(j.ofKey("k")) >= 10 })
	eventually(t, "they are committed", func() bool { return b.committed(t, 0) == 10 })
}

// TestNothingIsCommittedOfWhatATopicWas has a lane outlive it, as one does whose partition is being given up.
func TestNothingIsCommittedOfWhatATopicWas(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	c := newConsumer(t, b, j.handle)
	start(t, c.Run)
	b.produce(t, keyed(0, "a1", "b1")...)
	eventually(t, "both are committed", func() bool { return b.committed(t, 0) == 2 })
	old := c.open()
	c.committing.Lock()
	for _, l := range old {
		l.setCommitted(kgo.EpochOffset{Offset: 1})
	}
	c.era++
	c.committing.Unlock()
	commits := 0
	b.ControlKey(int16(kmsg.OffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		commits++
		return nil, nil, false
	})
	if err := c.commit(within(t), old); err != nil || commits > 0 || len(old) == 0 {
		t.Errorf("%d commits for %d lanes: %v", commits, len(old), err)
	}
}

// TestADLQThatIsMadeAnew takes what couldn't be put on the old one.
func TestADLQThatIsMadeAnew(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	start(t, newConsumer(t, b, func(context.Context, *kgo.Record) error { return fault.New(fault.Invalid, "bad") }).Run)
	b.produce(t, keyed(0, "x1")...)
	eventually(t, "one is on the DLQ", func() bool { return b.committed(t, 0) == 1 })
	b.remove(t, b.cfg.DLQ())
	b.create(t, b.cfg.DLQ(), 3)
	b.produce(t, keyed(0, "x2", "y1")...)
	eventually(t, "two are on the new one", func() bool { return b.committed(t, 0) == 3 && b.dead(t) == 2 })
}
