package stream

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/fault"
)

// all gives what was applied.
func (j *journal) all() []*kgo.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.applied)
}

// different counts the messages that were applied, each once.
func (j *journal) different() int {
	ids := map[string]bool{}
	for _, r := range j.all() {
		ids[header(r, "ce_id")] = true
	}
	return len(ids)
}

// members tells how many members of the group have partitions.
func (k apache) members(t *testing.T) (working int) {
	t.Helper()
	groups, err := k.admin.DescribeGroups(within(t), k.cfg.Topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range groups[k.cfg.Topic].Members {
		if assigned, ok := member.Assigned.AsConsumer(); ok && len(assigned.Topics) > 0 {
			working++
		}
	}
	return working
}

// TestRealConsumersComeAndGo has members of the group join and leave while records come; the last one applies the rest.
func TestRealConsumersComeAndGo(t *testing.T) {
	t.Parallel()
	const keys, each = 50, 40
	k, q, j := newApache(t), &queue{}, &journal{}
	relay := k.relay(t, k.cfg, q, quiet(t))
	sent := 0
	send := func(n int) {
		addAll(q, keys, sent, sent+n)
		relay.Wake()
		sent += n
	}
	join := func() (leave func()) { return start(t, k.consumer(t, k.cfg, j.handle, quiet(t)).Run) }
	applied := func(messages int) {
		t.Helper()
		eventually(t, fmt.Sprint(messages, " are applied"), func() bool { return j.different() >= messages })
	}

	send(10)
	first := join()
	applied(keys)
	second := join()
	send(10)
	join()
	applied(15 * keys)
	eventually(t, "all three have partitions", func() bool { return k.members(t) == 3 })
	send(10)
	applied(22 * keys)
	first()
	applied(25 * keys)
	send(10)
	second()
	applied(each * keys)

	wantOrdered(t, j.all(), keys, each)
	eventually(t, "all are committed", func() bool { return k.settled(t) == each*keys })
	if !q.isEmpty() {
		t.Error("the outbox is not empty")
	}
	t.Logf("%d records were applied again", len(j.all())-each*keys)
}

func TestRealBadRecordsGoToTheDLQ(t *testing.T) {
	t.Parallel()
	k, j := newApache(t), &journal{}
	k.topics(t)
	bad := numbered(1, 1, 2)[0]
	bad.Headers = []kgo.RecordHeader{{Key: "ce_id", Value: []byte("7")}, {Key: "ce_id", Value: []byte("8")}}
	k.produce(t, numbered(1, 0, 1)...)
	k.produce(t, bad)
	k.produce(t, numbered(1, 2, 3)...)
	start(t, k.consumer(t, k.cfg, func(ctx context.Context, r *kgo.Record) error {
		if header(r, "ce_id") != "" {
			return fault.New(fault.Invalid, "bad")
		}
		return j.handle(ctx, r)
	}, quiet(t)).Run)
	eventually(t, "the partition goes on", func() bool { return k.settled(t) == 3 })
	wantDead(t, k.read(t, k.cfg.DLQ(), 1)[0], bad, []string{
		"ce_id=7", "ce_id=8", "dlq_reason=invalid", "dlq_error=bad", "dlq_topic=" + k.cfg.Topic, "dlq_partition=1",
		"dlq_offset=1", "dlq_time=" + header(k.read(t, k.cfg.DLQ(), 1)[0], "dlq_time"), "dlq_attempts=1",
	})
	if got := j.values(1); !slices.Equal(got, []string{"00000", "00002"}) {
		t.Errorf("applied %v", got)
	}
}

// TestRealRecordsTooLargeForTheDLQ takes a record as large as a client sends by default, and one that only fits because it is
// compressed: with the headers of the DLQ, neither does.
func TestRealRecordsTooLargeForTheDLQ(t *testing.T) {
	t.Parallel()
	k := newApache(t)
	k.topics(t)
	producer := k.client(t, kgo.ProducerBatchMaxBytes(8<<20), kgo.ProducerBatchCompression(kgo.GzipCompression()))
	for n, size := range []int{1_000_012 - 100, 4 << 20} {
		large := &kgo.Record{Topic: k.cfg.Topic, Partition: int32(n), Key: fmt.Append(nil, n), Value: make([]byte, size)}
		if err := producer.ProduceSync(within(t), large).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	start(t, k.consumer(t, k.cfg, refuse, quiet(t)).Run)
	for _, dead := range k.read(t, k.cfg.DLQ(), 2) {
		if len(dead.Value) != 0 || header(dead, "dlq_partition") != string(dead.Key) || header(dead, "dlq_offset") != "0" {
			t.Errorf("key %q, %d bytes, headers %v", dead.Key, len(dead.Value), dead.Headers)
		}
	}
	eventually(t, "the partitions go on", func() bool { return k.settled(t) == 2 })
}

// TestRealTopicThatIsMadeAnewIsConsumed has more in the new one than was committed of the old one.
func TestRealTopicThatIsMadeAnewIsConsumed(t *testing.T) {
	t.Parallel()
	k, j := newApache(t), &journal{}
	k.cfg.Partitions = 3
	k.topics(t)
	for range 2 {
		start(t, k.consumer(t, k.cfg, j.handle, quiet(t)).Run)
	}
	for p := range k.cfg.Partitions {
		k.produce(t, numbered(p, 0, 20)...)
	}
	eventually(t, "the old ones are committed", func() bool { return k.settled(t) == 60 })
	k.remove(t, k.cfg.Topic)
	k.create(t, k.cfg.Topic, k.cfg.Partitions)
	for p := range k.cfg.Partitions {
		k.produce(t, numbered(p, 100, 130)...)
	}
	eventually(t, "the new ones are committed", func() bool { return k.settled(t) == 90 })
	if n := j.count(); n < 60+90 {
		t.Errorf("%d were applied", n)
	}
}
