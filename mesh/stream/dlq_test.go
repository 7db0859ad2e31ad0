package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

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
		"failing":     {func() error { return errors.New("secret of db:3306") }, "failed", "an internal error", attempts, attempts},
		"panicking":   {func() error { panic("secret") }, "failed", "an internal error", attempts, attempts},
		"unavailable": {func() error { return fault.Away("the database", time.Second) }, "failed", "the database does not answer now: try again", attempts, attempts},
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
			eventually(t, "the partition goes on", func() bool { return b.committed(t, 1) == 3 })
			wantDead(t, b.read(t, b.cfg.DLQ(), 1)[0], bad, []string{
				"ce_id=7", "ce_id=8", "dlq_reason=" + c.reason, "dlq_error=" + c.told, "dlq_topic=things", "dlq_partition=1",
				"dlq_offset=1", "dlq_time=2026-11-23T10:20:30.123Z", fmt.Sprint("dlq_attempts=", c.attempts),
			})
			if handed != c.handed || !slices.Equal(j.values(1), []string{"00000", "00002"}) {
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

func TestRecordTooLargeForTheDLQIsBuriedWithoutItsValue(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	large := &kgo.Record{Topic: b.cfg.Topic, Key: []byte("key"), Value: make([]byte, 1_000_012-100)}
	if err := b.client(t).ProduceSync(within(t), large).FirstErr(); err != nil {
		t.Fatal(err)
	}
	start(t, newConsumer(t, b, refuse).Run)
	dead := b.read(t, b.cfg.DLQ(), 1)[0]
	if string(dead.Key) != "key" || len(dead.Value) != 0 || header(dead, "dlq_offset") != "0" {
		t.Errorf("key %q, %d bytes, offset %q", dead.Key, len(dead.Value), header(dead, "dlq_offset"))
	}
	eventually(t, "the partition goes on", func() bool { return b.committed(t, 0) == 1 })
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
