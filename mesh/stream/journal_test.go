package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// journal notes what a handler got.
type journal struct {
	mu      sync.Mutex
	applied []*kgo.Record
}

func (j *journal) note(r *kgo.Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.applied = append(j.applied, r)
}

func (j *journal) handle(_ context.Context, r *kgo.Record) error {
	j.note(r)
	return nil
}

// values gives the values of a partition's records in the order in which they were applied.
func (j *journal) values(partition int32) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []string
	for _, r := range j.applied {
		if r.Partition == partition {
			all = append(all, string(r.Value))
		}
	}
	return all
}

func (j *journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.applied)
}

func (j *journal) has(value string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.ContainsFunc(j.applied, func(r *kgo.Record) bool { return string(r.Value) == value })
}

// apply applies one record.
type apply func(ctx context.Context, record *kgo.Record) error

// each applies records one after the other.
func each(one apply) Handle {
	return func(ctx context.Context, records []*kgo.Record) []error {
		results := make([]error, len(records))
		for n, r := range records {
			results[n] = one(ctx, r)
		}
		return results
	}
}

// newConsumer makes a consumer that is quick to try again.
func newConsumer(t *testing.T, b *broker, one apply) *Consumer {
	t.Helper()
	return newBatchConsumer(t, b, each(one))
}

func newBatchConsumer(t *testing.T, b *broker, handle Handle) *Consumer {
	t.Helper()
	return newToldConsumer(t, b, handle, quiet(t))
}

// newToldConsumer makes one that logs there.
func newToldConsumer(t *testing.T, b *broker, handle Handle, log *slog.Logger) *Consumer {
	t.Helper()
	c, err := NewConsumer(b.cfg, "group", handle, telling(t, log))
	if err != nil {
		t.Fatal(err)
	}
	c.shortest, c.longest = time.Millisecond, 5*time.Millisecond
	return c
}

// numbered makes the records from, from+1, ... of a partition; each value is the number.
func numbered(partition int32, from, to int) []*kgo.Record {
	var all []*kgo.Record
	for n := from; n < to; n++ {
		all = append(all, &kgo.Record{Partition: partition, Key: []byte("k"), Value: fmt.Appendf(nil, "%05d", n)})
	}
	return all
}

// committed tells up to which offset a partition is committed.
func (b *broker) committed(t *testing.T, partition int32) int64 {
	t.Helper()
	offsets, err := admin(b.own).FetchOffsets(within(t), "group")
	if errors.Is(err, kerr.GroupIDNotFound) {
		return -1
	}
	if err != nil {
		t.Fatal(err)
	}
	found, _ := offsets.Lookup(b.cfg.Topic, partition)
	return found.At
}
