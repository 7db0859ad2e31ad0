package stream

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/fault"
)

// later is when all pauses are over.
func later() time.Time { return time.Now().Add(2 * time.Hour) }

// TestARecordIsTriedAgainAlsoIfAnotherWaits for what it finds away.
func TestARecordIsTriedAgainAlsoIfAnotherWaits(t *testing.T) {
	t.Parallel()
	j, failed := &journal{}, false
	c := newConsumer(t, newBroker(t), func(ctx context.Context, r *kgo.Record) error {
		switch {
		case string(r.Value) == "p1":
			return fault.Away("the database", time.Second)
		case !failed:
			failed = true
			return errors.New("passing")
		}
		return j.handle(ctx, r)
	})
	t.Cleanup(c.client.Close)
	l := newLane(0, newBackoff(time.Millisecond, time.Millisecond))
	for _, first := range []string{"a1", "p1"} { // a1 fails before p1 comes
		l.add(keyed(0, first), 0)
		items, _ := l.choose(time.Now())
		c.attempt(t.Context(), l, items)
	}
	for range 10 {
		items, _ := l.choose(later())
		c.attempt(t.Context(), l, items)
	}
	if !j.has("a1") {
		t.Error("a1 isn't tried again")
	}
}

// TestAnOutageIsHeldAgainstNoRecord, also if others were applied while records were tried together that then found something away.
func TestAnOutageIsHeldAgainstNoRecord(t *testing.T) {
	t.Parallel()
	var c *Consumer
	elsewhere, together := newLane(1, newBackoff(time.Millisecond, time.Millisecond)), true
	c = newBatchConsumer(t, newBroker(t), func(ctx context.Context, records []*kgo.Record) []error {
		if records[0].Partition == elsewhere.partition {
			return nil
		}
		if together {
			elsewhere.add(keyed(1, "x1", "y1"), 0)
			items, _ := elsewhere.choose(time.Now())
			c.attempt(ctx, elsewhere, items)
			together = false
		}
		return all(len(records), fault.Away("the database", time.Second))
	})
	t.Cleanup(c.client.Close)
	l := newLane(0, newBackoff(time.Millisecond, time.Millisecond))
	l.add(keyed(0, "a1", "b1", "c1", "d1"), 0)
	for range 9 { // together, and then each twice
		items, _ := l.choose(later())
		c.attempt(t.Context(), l, items)
	}
	for key, line := range l.lines {
		if n := line[0].attempts; n > 0 {
			t.Errorf("%s: %d attempts count", key, n)
		}
	}
}
