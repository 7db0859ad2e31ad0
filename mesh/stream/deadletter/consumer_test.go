package deadletter_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric/noop"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
)

// TestValuesLeftOutAreFoundWhereTheyWere buries, by a real consumer, a record that is too large for the DLQ.
func TestValuesLeftOutAreFoundWhereTheyWere(t *testing.T) {
	onEach(t, func(w *world) {
		large := &kgo.Record{Topic: w.cfg.Topic, Partition: 1, Key: []byte("key"), Value: []byte(strings.Repeat("x", 1_000_012-100))}
		w.put(large)
		w.consume(1, func(context.Context, *kgo.Record) error { return fault.New(fault.Invalid, "bad") })
		at, _ := w.read(w.cfg.Topic)
		published := at[0].Timestamp.UTC().Format(time.RFC3339Nano)
		w.put(w.leftOut("key-0", "107", published), w.leftOut("other", "0", published), w.leftOut("key", "0", "2026-11-23T10:20:30.123Z"))
		outcome := w.replay(deadletter.Filter{}, deadletter.Replay{})
		const gone = ": its value was left out, for its size, and is no longer where it was"
		if got := fmt.Sprint(outcome.Done, outcome.Left); got != "1 [0:0"+gone+" 0:1"+gone+" 0:2"+gone+"]" {
			w.t.Error(got)
		}
		records, _ := w.read(w.cfg.Topic)
		if len(records) != 2 || string(records[0].Value) != string(records[1].Value) {
			w.t.Errorf("%d records, or not the same", len(records))
		}
	})
}

// TestKeyAndHeadersLeftOutAreFoundToo buries records whose headers alone are too large for the DLQ, and so are larger than what our
// own publisher takes. They are replayed as they were, and corrected with their keys.
func TestKeyAndHeadersLeftOutAreFoundToo(t *testing.T) {
	onEach(t, func(w *world) {
		swollen := &kgo.Record{Topic: w.cfg.Topic, Partition: 1, Key: []byte("key"), Value: []byte("first"), Headers: headers("ce_id", "id", "padding", strings.Repeat("x", 1_020_000))}
		other := *swollen
		other.Value = []byte("second")
		w.putLarge(swollen, &other)
		w.consume(2, func(context.Context, *kgo.Record) error { return fault.New(fault.Invalid, "bad") })
		outcome := w.replay(deadletter.Filter{}, deadletter.Replay{Edit: func(l *deadletter.Letter) ([]byte, error) {
			if !l.LeftOut() || len(l.Key) > 0 || len(l.Headers) > 0 {
				w.t.Errorf("%v isn't as small as can be", l)
			}
			if l.Original.Offset == 1 {
				return []byte("better"), nil
			}
			return nil, nil
		}})
		if outcome.Done != 2 || outcome.Left != nil {
			w.t.Fatalf("%+v", outcome)
		}
		all, _ := w.read(w.cfg.Topic)
		replayed := slices.DeleteFunc(all, func(r *kgo.Record) bool { return len(r.Headers) == len(swollen.Headers) })
		if len(replayed) != 2 || string(replayed[0].Value) != "first" || string(replayed[1].Value) != "better" {
			w.t.Fatalf("%d records were replayed", len(replayed))
		}
		for _, r := range replayed {
			if string(r.Key) != "key" || r.Headers[0].Key != "ce_id" || len(r.Headers[1].Value) != 1_020_000 || r.Headers[2].Key != stream.HeaderReplayed {
				w.t.Errorf("%s has the key %q and %d headers", r.Value, r.Key, len(r.Headers))
			}
		}
	})
}

// TestWhatIsCorrectedNeedsNoOriginal corrects a record without key and headers that is no longer where it was.
func TestWhatIsCorrectedNeedsNoOriginal(t *testing.T) {
	onEach(t, func(w *world) {
		gone := w.leftOut("", "107", "2026-11-23T10:20:30.123Z")
		gone.Key = nil
		w.put(gone)
		outcome := w.replay(deadletter.Filter{}, deadletter.Replay{Edit: func(*deadletter.Letter) ([]byte, error) { return []byte("better"), nil }})
		if got := w.values(); outcome.Done != 1 || !slices.Equal(got, []string{"better"}) {
			w.t.Errorf("%+v, on the topic: %v", outcome, got)
		}
	})
}

// putLarge puts records as large as brokers take.
func (w *world) putLarge(records ...*kgo.Record) {
	w.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.cfg.Brokers...), kgo.ProducerBatchMaxBytes(1_048_588), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(w.ctx(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// leftOut is a record without its value, which was on partition 1.
func (w *world) leftOut(key, offset, published string) *kgo.Record {
	return &kgo.Record{Topic: w.cfg.DLQ(), Key: []byte(key), Headers: headers("dlq_reason", "invalid", "dlq_topic", w.cfg.Topic,
		"dlq_partition", "1", "dlq_offset", offset, "dlq_time", published)}
}

// TestFromTheConsumerAndBack buries records by a real consumer and replays them to one that was mended.
func TestFromTheConsumerAndBack(t *testing.T) {
	onEach(t, func(w *world) {
		for i := range 3 {
			w.put(onTopic(w, 0, i))
		}
		w.consume(3, func(context.Context, *kgo.Record) error { return fault.New(fault.Invalid, "bad") })
		if outcome := w.replay(deadletter.Filter{Reason: "invalid"}, deadletter.Replay{}); outcome.Done != 3 || outcome.Left != nil {
			w.t.Errorf("%+v", outcome)
		}
		var applied []string
		w.consume(3, func(_ context.Context, r *kgo.Record) error {
			applied = append(applied, string(r.Value)) // one key, so only one lane uses it
			return nil
		})
		if !slices.Equal(applied, []string{"0", "1", "2"}) {
			w.t.Errorf("applied: %v", applied)
		}
	})
}

// consume runs a consumer until it has handled n records and given its partitions back.
func (w *world) consume(n int, handle func(context.Context, *kgo.Record) error) {
	w.t.Helper()
	handled, ended := make(chan struct{}, n), make(chan error)
	consumer, err := stream.NewConsumer(w.cfg, w.cfg.Topic+"-group", func(ctx context.Context, records []*kgo.Record) []error {
		results := make([]error, len(records))
		for i, r := range records {
			results[i] = handle(ctx, r)
			handled <- struct{}{}
		}
		return results
	}, stream.Telemetry{Traces: w.traces(), Metrics: noop.NewMeterProvider(), Log: w.log()})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.ctx())
	defer cancel()
	go func() { ended <- consumer.Run(ctx) }()
	for range n {
		select {
		case <-handled:
		case <-ctx.Done():
			w.t.Fatal("not consumed")
		}
	}
	w.awaitCommit(ctx)
	cancel()
	if err := <-ended; err != nil {
		w.t.Fatal(err)
	}
}

// awaitCommit waits until the group is behind on nothing.
func (w *world) awaitCommit(ctx context.Context) {
	w.t.Helper()
	for q := w.open(); ; {
		lags, err := q.Lag(ctx, w.cfg.Topic+"-group")
		if err != nil {
			w.t.Fatal(err)
		}
		if !slices.ContainsFunc(lags, func(l deadletter.Lag) bool { return l.Behind > 0 }) {
			return
		}
	}
}
