package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/fault"
)

func TestBadRecordsGoToTheDLQ(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		handle           func() error
		reason, told     string
		attempts, handed int
	}{
		"invalid": {
			func() error { return fault.InvalidField("kind", "is none").Because(errors.New("secret")) },
			"invalid", "the request is invalid: kind: is none", 1, 1,
		},
		"newer": {
			func() error { return fault.InvalidField("kind", "99 is newer").Because(ErrNewer) },
			"newer", "the request is invalid: kind: 99 is newer", 1, 1,
		},
		"failing":   {func() error { return errors.New("secret of db:3306") }, "failed", "an internal error", attempts, attempts},
		"panicking": {func() error { panic("secret") }, "failed", "an internal error", attempts, attempts},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, j, handed := newBroker(t), &journal{}, 0
			bad := &kgo.Record{
				Partition: 1, Key: []byte("key"), Value: []byte{0xff, 0, 1}, Timestamp: time.UnixMilli(1795429230123),
				Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte("7")}, {Key: "ce_id", Value: []byte("8")}},
			}
			b.topics(t)
			b.produce(t, numbered(1, 0, 1)...)
			b.produce(t, bad)
			b.produce(t, numbered(1, 2, 3)...)
			start(t, newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
				if string(r.Key) == "key" {
					handed++ // only one lane uses it
					return c.handle()
				}
				return j.handle(ctx, r)
			}).Run)
			eventually(t, "all is committed", func() bool { return b.committed(t, 1) == 3 })
			wantDead(t, b.read(t, b.cfg.DLQ(), 1)[0], bad, []string{
				"ce_id=7", "ce_id=8", "dlq_reason=" + c.reason, "dlq_error=" + c.told, "dlq_topic=things", "dlq_partition=1",
				"dlq_offset=1", "dlq_time=2026-11-23T10:20:30.123Z", fmt.Sprint("dlq_attempts=", c.attempts),
			})
			// What was in the same batch as a panic is tried again.
			if handed != c.handed || !slices.Equal(slices.Compact(j.values(1)), []string{"00000", "00002"}) {
				t.Errorf("tried %d times, want %d; applied %v", handed, c.handed, j.values(1))
			}
		})
	}
}

func wantDead(t *testing.T, dead, record *kgo.Record, headers []string) {
	t.Helper()
	var got []string
	for _, h := range dead.Headers {
		got = append(got, h.Key+"="+string(h.Value))
	}
	if !slices.Equal(got, headers) {
		t.Errorf("headers\n%q, want\n%q", got, headers)
	}
	if !bytes.Equal(dead.Key, record.Key) || !bytes.Equal(dead.Value, record.Value) {
		t.Errorf("key %q and value %q are not those of the record", dead.Key, dead.Value)
	}
}

func refuse(context.Context, *kgo.Record) error { return fault.New(fault.Invalid, "bad") }

func TestBuryingIsTriedUntilItIsDone(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, numbered(0, 0, 3)...)
	b.refuseOnce(b.cfg.DLQ(), kerr.TopicAuthorizationFailed)
	start(t, newConsumer(t, b, refuse).Run)
	var values []string
	for _, dead := range b.read(t, b.cfg.DLQ(), 3) {
		values = append(values, string(dead.Value))
	}
	if slices.Sort(values); !slices.Equal(values, []string{"00000", "00001", "00002"}) {
		t.Errorf("on the DLQ: %v", values)
	}
}

func TestADLQThatTakesNothingHoldsUpNoOtherKey(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	broken := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: b.cfg.DLQ(), Err: kerr.TopicAuthorizationFailed, Count: -1})
	b.produce(t, keyed(0, "a1", "a2", "b1", "b2")...)
	tried := 0 // only one lane uses it
	start(t, newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Value) == "a1" {
			tried++
			return fault.New(fault.Invalid, "bad")
		}
		return j.handle(ctx, r)
	}).Run)
	eventually(t, "another key goes on", func() bool { return j.has("b2") })
	if j.has("a2") || b.committed(t, 0) > 0 {
		t.Error("the record was passed over")
	}
	broken.Remove()
	eventually(t, "its key goes on", func() bool { return b.committed(t, 0) == 4 })
	if n := b.dead(t); n != 1 || tried != 1 || !j.has("a2") {
		t.Errorf("%d records on the DLQ after %d attempts", n, tried)
	}
}

func TestRecordTooLargeForTheDLQIsBuriedWithoutWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	much := make([]byte, 1_000_012-150)
	for _, large := range []*kgo.Record{
		{Key: []byte("key"), Value: much},
		{Key: []byte("key"), Headers: []kgo.RecordHeader{{Key: "h", Value: much}}},
		{Key: much},
	} {
		large.Topic = b.cfg.Topic
		if err := b.client(t).ProduceSync(within(t), large).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	start(t, newConsumer(t, b, refuse).Run)
	keys := map[string]string{} // by the offset that the record had
	for _, dead := range b.read(t, b.cfg.DLQ(), 3) {
		keys[header(dead, HeaderOffset)] = string(dead.Key)
		if len(dead.Value) != 0 || header(dead, "h") != "" {
			t.Errorf("offset %s: value of %d bytes, header of %d", header(dead, HeaderOffset), len(dead.Value), len(header(dead, "h")))
		}
	}
	if want := map[string]string{"0": "key", "1": "", "2": ""}; !maps.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	eventually(t, "the partition goes on", func() bool { return b.committed(t, 0) == 3 })
}

func TestConsumerStopsAlthoughTheDLQHangs(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, numbered(0, 0, 1)...)
	asked, release := b.holdProduce()
	defer release()
	stop := start(t, newConsumer(t, b, refuse).Run)
	<-asked
	began := time.Now()
	stop()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if at := b.committed(t, 0); at > 0 {
		t.Errorf("committed up to %d, although the record is nowhere", at)
	}
}
