package deadletter_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
	"eventprospect/mesh/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Kafka with a topic of three partitions and its DLQ.
type world struct {
	t      *testing.T
	cfg    stream.Config
	client *kgo.Client
	fake   *kfake.Cluster // nil: a real Kafka
}

// onEach runs a test on kfake, and on a real Kafka.
func onEach(t *testing.T, test func(*world)) {
	t.Parallel()
	t.Run("kfake", func(t *testing.T) {
		t.Parallel()
		test(onFake(t))
	})
	t.Run("kafka", func(t *testing.T) {
		t.Parallel()
		test(newWorld(t, nil, meshtest.Kafka(t)))
	})
}

func onFake(t *testing.T) *world {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return newWorld(t, fake, fake.ListenAddrs()...)
}

func newWorld(t *testing.T, fake *kfake.Cluster, brokers ...string) *world {
	t.Helper()
	w := &world{t: t, fake: fake, cfg: stream.Defaults(meshtest.NewName())}
	w.cfg.Brokers, w.cfg.Partitions = brokers, 3
	var err error
	if w.client, err = kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	admin := kadm.NewClient(w.client)
	created, err := admin.CreateTopics(w.ctx(), 3, 1, nil, w.cfg.Topic, w.cfg.DLQ())
	if err == nil {
		err = created.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.awaitTopics()
	t.Cleanup(func() {
		if _, err := admin.DeleteTopics(meshtest.Background(t), w.cfg.Topic, w.cfg.DLQ()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// awaitTopics waits until the topics that were just created can be used, and groups, if nobody has used one before.
func (w *world) awaitTopics() {
	w.t.Helper()
	q := w.open()
	for ctx := w.ctx(); ; {
		_, err := q.Look(ctx)
		if err == nil {
			_, err = q.Lag(ctx, w.cfg.Topic+"-group")
		}
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), meshtest.Patience)
	w.t.Cleanup(cancel)
	return ctx
}

func (w *world) log() *slog.Logger { return telemetry.NewLog(w.t.Output(), "test", slog.LevelWarn) }

func (w *world) traces() *telemetry.Traces {
	w.t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		w.t.Fatal(err)
	}
	return traces
}

func (w *world) open() *deadletter.Queue {
	w.t.Helper()
	q, err := deadletter.Open(w.cfg, w.traces(), w.log())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(q.Close)
	return q
}

func (w *world) look() *deadletter.View {
	w.t.Helper()
	v, err := w.open().Look(w.ctx())
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// dead is a record as a consumer buries it: the n-th of a topic's partition, whose key and value tell so.
func (w *world) dead(partition int32, n int64, reason string) *kgo.Record {
	return &kgo.Record{
		Topic: w.cfg.DLQ(), Partition: partition, Key: fmt.Appendf(nil, "key-%d", partition), Value: fmt.Appendf(nil, "%d:%d", partition, n),
		Timestamp: minute(n),
		Headers: headers("ce_id", fmt.Sprintf("id-%d-%d", partition, n), "traceparent", traceparent,
			"dlq_reason", reason, "dlq_error", "an error", "dlq_topic", w.cfg.Topic, "dlq_partition", fmt.Sprint(partition),
			"dlq_offset", fmt.Sprint(100+n), "dlq_time", "2026-11-23T10:20:30.123Z", "dlq_attempts", "8"),
	}
}

// began is some time ago: Kafka takes no record from the future.
var began = time.Now().Add(-2 * time.Hour).Truncate(time.Millisecond)

// minute is when the n-th record of a partition came to the DLQ.
func minute(n int64) time.Time { return began.Add(time.Duration(n) * time.Minute) }

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func headers(pairs ...string) []kgo.RecordHeader {
	var all []kgo.RecordHeader
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, kgo.RecordHeader{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	return all
}

// put puts records where they say.
func (w *world) put(records ...*kgo.Record) {
	w.t.Helper()
	if err := w.client.ProduceSync(w.ctx(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// bury puts n records on each of two partitions of the DLQ.
func (w *world) bury(n int64) {
	for i := range n {
		w.put(w.dead(0, i, "invalid"), w.dead(1, i, "failed"))
	}
}

// places gives the places of the records that a filter lets through, as text.
func places(ctx context.Context, t *testing.T, v *deadletter.View, filter deadletter.Filter) []string {
	t.Helper()
	all := []string{}
	if err := v.Each(ctx, filter, func(l *deadletter.Letter) error {
		all = append(all, l.String())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// read gives all records of a topic that are there now, and from where on there are any.
func (w *world) read(topic string) (records []*kgo.Record, from map[int32]int64) {
	w.t.Helper()
	reader, err := stream.NewReader(w.cfg, w.traces(), w.log())
	if err != nil {
		w.t.Fatal(err)
	}
	defer reader.Close()
	ranges, err := reader.Ranges(w.ctx(), topic)
	if err != nil {
		w.t.Fatal(err)
	}
	from = map[int32]int64{}
	for partition := range int32(len(ranges)) {
		from[partition] = ranges[partition].From
		if err := reader.Read(w.ctx(), topic, partition, ranges[partition], func(r *kgo.Record) error {
			records = append(records, r)
			return nil
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	return records, from
}

// values gives the values on the topic.
func (w *world) values() []string {
	all := []string{}
	records, _ := w.read(w.cfg.Topic)
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return all
}
