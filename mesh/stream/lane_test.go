package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/fault"
)

// keyed makes records of a partition, one for each text, of which the first letter is the key.
func keyed(partition int32, texts ...string) []*kgo.Record {
	var all []*kgo.Record
	for _, text := range texts {
		all = append(all, &kgo.Record{Partition: partition, Key: []byte(text[:1]), Value: []byte(text)})
	}
	return all
}

// ofKey gives the values of a key's records in the order in which they were applied.
func (j *journal) ofKey(key string) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var values []string
	for _, r := range j.applied {
		if string(r.Key) == key {
			values = append(values, string(r.Value))
		}
	}
	return values
}

// dead tells how many records a DLQ has.
func (b *broker) dead(t *testing.T) (n int64) {
	t.Helper()
	ends, err := admin(b.own).ListEndOffsets(within(t), b.cfg.DLQ())
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range ends[b.cfg.DLQ()] {
		n += end.Offset
	}
	return n
}

func TestFailingRecordHoldsUpItsKeyOnly(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	b.produce(t, keyed(0, "x0", "a1", "x1", "b1", "a2", "b2", "c1", "b3")...)
	var mended atomic.Bool
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Value) == "a1" && !mended.Load() {
			return errors.New("passing")
		}
		return j.handle(ctx, r)
	})
	c.attempts = 1 << 30
	start(t, c.Run)
	eventually(t, "other keys go on", func() bool { return j.has("b3") && j.has("c1") && j.has("x1") })
	b.produce(t, keyed(0, "a3", "d1")...)
	eventually(t, "also those that come later", func() bool { return j.has("d1") })
	if got := j.ofKey("a"); len(got) > 0 {
		t.Errorf("applied out of order: %v", got)
	}
	eventually(t, "what is before it is committed", func() bool { return b.committed(t, 0) == 1 })
	mended.Store(true)
	eventually(t, "all is committed", func() bool { return b.committed(t, 0) == 10 })
	for key, want := range map[string][]string{"a": {"a1", "a2", "a3"}, "b": {"b1", "b2", "b3"}} {
		if got := j.ofKey(key); !slices.Equal(got, want) {
			t.Errorf("key %s: %v", key, got)
		}
	}
	if n := b.dead(t); n != 0 {
		t.Errorf("%d records on the DLQ", n)
	}
}

func TestNothingIsCommittedBeyondWhatIsNotSettled(t *testing.T) {
	t.Parallel()
	b, first, second := newBroker(t), &journal{}, &journal{}
	b.topics(t)
	b.produce(t, keyed(0, "x1", "a1", "b1", "c1")...)
	c := newConsumer(t, b, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Value) == "a1" {
			return errors.New("passing")
		}
		return first.handle(ctx, r)
	})
	c.attempts = 1 << 30
	stop := start(t, c.Run)
	eventually(t, "the others are applied", func() bool { return first.count() == 3 })
	stop()
	if at := b.committed(t, 0); at != 1 {
		t.Errorf("committed up to %d, want 1", at)
	}
	start(t, newConsumer(t, b, second.handle).Run)
	eventually(t, "the rest comes again", func() bool { return second.count() == 3 && second.has("a1") })
}

func TestRecordsAreHandedOverTogetherUnlessTheirKeyIsTheSame(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	var texts []string
	for n := range 300 {
		texts = append(texts, fmt.Sprintf("%c%03d", 'a'+n%25, n))
	}
	b.produce(t, keyed(0, texts...)...)
	var calls atomic.Int32
	start(t, newBatchConsumer(t, b, func(_ context.Context, records []*kgo.Record) []error {
		calls.Add(1)
		seen := map[string]bool{}
		for _, r := range records {
			if seen[string(r.Key)] {
				t.Errorf("two of the key %s", r.Key)
			}
			seen[string(r.Key)] = true
			j.note(r)
		}
		return nil
	}).Run)
	eventually(t, "all are applied", func() bool { return j.count() == 300 })
	for k := range 25 {
		if got := j.ofKey(string(rune('a' + k))); len(got) != 12 || !slices.IsSorted(got) {
			t.Errorf("key %c: %v", 'a'+k, got)
		}
	}
	if n := calls.Load(); n > 30 {
		t.Errorf("%d calls for 300 records of 25 keys", n)
	}
}

// TestWhatIsAwayBuriesNothing has the store be away for far longer than a record is tried.
func TestWhatIsAwayBuriesNothing(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"away":   fault.Away("the database", time.Second),
		"hangs":  fmt.Errorf("query: %w", context.DeadlineExceeded),
		"passed": fault.New(fault.Timeout, "the time is over"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, j, log := newBroker(t), &journal{}, &journalled{}
			b.topics(t)
			var away atomic.Bool
			away.Store(true)
			var mu sync.Mutex
			var sizes []int
			c := newToldConsumer(t, b, func(_ context.Context, records []*kgo.Record) []error {
				if away.Load() {
					mu.Lock()
					sizes = append(sizes, len(records))
					mu.Unlock()
					return all(len(records), err)
				}
				for _, r := range records {
					j.note(r)
				}
				return nil
			}, log.logger())
			b.produce(t, keyed(0, "a1", "b1", "a2", "c1", "b2", "a3")...)
			start(t, c.Run)
			eventually(t, "it is tried often", func() bool { mu.Lock(); defer mu.Unlock(); return len(sizes) > 10*attempts })
			if mu.Lock(); slices.Max(sizes[1:]) > 1 {
				t.Errorf("while it was away, so many were tried at once: %v", sizes)
			}
			mu.Unlock()
			away.Store(false)
			eventually(t, "all is committed", func() bool { return b.committed(t, 0) == 6 })
			for key, want := range map[string][]string{"a": {"a1", "a2", "a3"}, "b": {"b1", "b2"}, "c": {"c1"}} {
				if got := j.ofKey(key); !slices.Equal(got, want) {
					t.Errorf("key %s: %v", key, got)
				}
			}
			if n := b.dead(t); n != 0 {
				t.Errorf("%d records on the DLQ", n)
			}
			if log.count("ERROR") != 1 || log.count("WARN") != 0 {
				t.Errorf("logged %s", log)
			}
		})
	}
}

// awayFor fails as a transaction does, all or none, if p1 is among the records.
func awayFor(j *journal) Handle {
	return func(_ context.Context, records []*kgo.Record) []error {
		if slices.ContainsFunc(records, func(r *kgo.Record) bool { return string(r.Value) == "p1" }) {
			return all(len(records), fault.Away("the database", time.Second))
		}
		for _, r := range records {
			j.note(r)
		}
		return nil
	}
}

// TestARecordThatAlwaysFindsSomethingAwayIsBuried, if others don't.
func TestARecordThatAlwaysFindsSomethingAwayIsBuried(t *testing.T) {
	t.Parallel()
	b, j := newBroker(t), &journal{}
	b.topics(t)
	b.produce(t, keyed(0, "a1", "b1", "p1", "c1", "p2", "d1")...)
	start(t, newBatchConsumer(t, b, awayFor(j)).Run)
	for n := 0; b.dead(t) == 0; n++ { // others are applied meanwhile
		b.produce(t, keyed(0, fmt.Sprint("e", n))...)
	}
	dead := b.read(t, b.cfg.DLQ(), 1)[0]
	if string(dead.Value) != "p1" || header(dead, "dlq_reason") != "failed" || header(dead, "dlq_attempts") != fmt.Sprint(attempts) ||
		header(dead, "dlq_error") != "the database does not answer now: try again" {
		t.Errorf("%s: %v", dead.Value, dead.Headers)
	}
	eventually(t, "its key goes on", func() bool { return j.has("p2") })
}

// TestARecordIsBlamedAlsoIfItIsTriedWithOthersAgain, as it is if they keep coming.
func TestARecordIsBlamedAlsoIfItIsTriedWithOthersAgain(t *testing.T) {
	t.Parallel()
	c := newBatchConsumer(t, newBroker(t), awayFor(&journal{}))
	t.Cleanup(c.client.Close)
	l := newLane(0, newBackoff(time.Millisecond, time.Millisecond))
	l.add(keyed(0, "p1"), 0)
	for range 100 * attempts {
		l.add(keyed(0, "e1", "f1"), 0)
		items, _ := l.choose(later())
		if dead := c.attempt(t.Context(), l, items); len(dead) > 0 {
			return
		}
	}
	t.Error("tried for ever")
}

// TestAWrongNumberOfResultsIsAFailure: nobody knows which record is which.
func TestAWrongNumberOfResultsIsAFailure(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, keyed(0, "a1")...)
	start(t, newBatchConsumer(t, b, func(context.Context, []*kgo.Record) []error { return make([]error, 2) }).Run)
	if dead := b.read(t, b.cfg.DLQ(), 1)[0]; header(dead, "dlq_reason") != "failed" {
		t.Errorf("reason %s", header(dead, "dlq_reason"))
	}
}
