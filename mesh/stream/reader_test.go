package stream

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func newReader(t *testing.T, b *broker) *Reader {
	t.Helper()
	r, err := NewReader(b.cfg, noTraces(t), quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// offsetsOf reads a stretch of partition 0 and gives the offsets of what it finds.
func offsetsOf(t *testing.T, b *broker, stretch Range) (offsets []int64) {
	t.Helper()
	err := newReader(t, b).Read(within(t), b.cfg.Topic, 0, stretch, func(r *kgo.Record) error {
		offsets = append(offsets, r.Offset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return offsets
}

func TestReaderReadsWhatIsThereAndEnds(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, numbered(0, 0, 10)...)
	ranges, err := newReader(t, b).Ranges(within(t), b.cfg.Topic)
	if err != nil || fmt.Sprint(ranges) != "map[0:{0 10} 1:{0 0} 2:{0 0}]" {
		t.Errorf("%v, %v", ranges, err)
	}
	for _, c := range []struct {
		stretch Range
		want    []int64
	}{
		{Range{0, 3}, []int64{0, 1, 2}},
		{Range{7, 10}, []int64{7, 8, 9}},
		{Range{4, 4}, nil},
		{Range{10, 12}, nil}, // it is said to be longer than it is
	} {
		if got := offsetsOf(t, b, c.stretch); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.stretch, got, c.want)
		}
	}
	after, err := newReader(t, b).After(within(t), b.cfg.Topic, time.Now().Add(time.Hour))
	if err != nil || after[0] != 10 {
		t.Errorf("%v, %v", after, err)
	}
}

func TestReaderPassesOverWhatWasDeleted(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	b.produce(t, numbered(0, 0, 10)...)
	gone := kadm.Offsets{}
	gone.Add(kadm.Offset{Topic: b.cfg.Topic, Partition: 0, At: 5})
	if _, err := kadm.NewClient(b.client(t)).DeleteRecords(within(t), gone); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stretch Range
		want    []int64
	}{
		{Range{3, 8}, []int64{5, 6, 7}},
		{Range{0, 5}, nil},
	} {
		if got := offsetsOf(t, b, c.stretch); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.stretch, got, c.want)
		}
	}
}

// TestReaderEndsAtTheEndOfATransaction lets the last offset be that of Kafka's own record of a transaction's end.
func TestReaderEndsAtTheEndOfATransaction(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topics(t)
	client := b.client(t, kgo.TransactionalID("t"))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	record := numbered(0, 0, 1)[0]
	record.Topic = b.cfg.Topic
	if err := client.ProduceSync(within(t), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := client.EndTransaction(within(t), kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	if got := offsetsOf(t, b, Range{0, 2}); !slices.Equal(got, []int64{0}) {
		t.Errorf("read %v", got)
	}
}
