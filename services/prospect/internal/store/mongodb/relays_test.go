package mongodb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.opentelemetry.io/otel/metric/noop"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/outbox"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/telemetry"
)

var errDead = errors.New("dead")

// mortal is the outbox of a relay that dies: Kafka has acknowledged its batch, but nobody hears of it, and nothing is given free.
type mortal struct {
	*Store
	lives int // how many batches it publishes before

	mu       sync.Mutex
	underWay []string // what it had published when it died
	died     chan struct{}
}

func (m *mortal) dead() bool {
	select {
	case <-m.died:
		return true
	default:
		return false
	}
}

func (m *mortal) Claim(ctx context.Context, owner string, limit int, lease time.Duration) ([]outbox.Message, error) {
	if m.dead() {
		return nil, errDead
	}
	return m.Store.Claim(ctx, owner, limit, lease)
}

func (m *mortal) Renew(ctx context.Context, owner string, held []outbox.Message, lease time.Duration) error {
	if m.dead() {
		return errDead
	}
	return m.Store.Renew(ctx, owner, held, lease)
}

func (m *mortal) Done(ctx context.Context, published []outbox.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.dead():
		return errDead
	case m.lives > 0:
		m.lives--
		return m.Store.Done(ctx, published)
	}
	for _, p := range published {
		m.underWay = append(m.underWay, p.ID)
	}
	close(m.died)
	return errDead
}

// journal keeps what is logged.
type journal struct {
	mu sync.Mutex
	bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Buffer.Write(line)
}

func (j *journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.Buffer.Len()
}

// relay runs a relay until the context ends. It logs only what goes wrong.
func relay(ctx context.Context, t *testing.T, queue outbox.Queue, cfg stream.Config, log *slog.Logger) (ended chan struct{}) {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	do(t, err)
	r, err := stream.NewRelay(queue, cfg, "/prospect",
		stream.Telemetry{Traces: traces, Metrics: noop.NewMeterProvider(), Log: log})
	do(t, err)
	ended = make(chan struct{})
	go func() { defer close(ended); _ = r.Run(ctx) }()
	return ended
}

// TestThreeRelaysOfWhichOneDies has them publish what waits in one database. All of it is on the topic, the messages of each key in
// order, and none twice but what the dead one had under way. It runs alone: it leaves a stand-in no time for others.
func TestThreeRelaysOfWhichOneDies(t *testing.T) {
	const (
		initial, each = 200, 25
		drained       = 2 * time.Minute // a stand-in on a busy machine takes its time
	)
	address := newDatabase(t)
	s := openAt(t, address, options.Client())
	keys := 0
	add := func() {
		k, key := keys, fmt.Sprintf("key%03d", keys)
		var messages []outbox.Message
		for n := range each {
			messages = append(messages, outbox.Message{
				ID: fmt.Sprintf("%s-%03d", key, n), Key: key, Time: time.UnixMicro(int64(n*initial + k)), Payload: []byte{1},
			})
		}
		do(t, s.Create(t.Context(), sample(key), messages...))
		keys++
	}
	for range initial {
		add()
	}
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	do(t, err)
	t.Cleanup(kafka.Close)
	cfg := stream.Defaults("prospect-events")
	cfg.Brokers = kafka.ListenAddrs()

	ctx, stop := context.WithCancel(t.Context())
	short, kill := context.WithCancel(ctx)
	victim := &mortal{Store: openAt(t, address, options.Client()), lives: 1, died: make(chan struct{})}
	second, third := openAt(t, address, options.Client()), openAt(t, address, options.Client())
	troubles := &journal{}
	log := telemetry.NewLog(troubles, "relay", slog.LevelWarn)
	all := []chan struct{}{
		relay(short, t, victim, cfg, slog.New(slog.DiscardHandler)), relay(ctx, t, second, cfg, log), relay(ctx, t, third, cfg, log),
	}
	defer func() {
		stop()
		for _, ended := range all {
			<-ended
		}
		kill()
	}()
	for deadline := time.Now().Add(drained); !victim.dead(); time.Sleep(50 * time.Millisecond) {
		// The others may have been quicker, each time: there is more until it has died.
		if waiting, err := s.Waiting(t.Context()); err == nil && waiting.Count == 0 {
			add()
		}
		if time.Now().After(deadline) {
			t.Fatal("it had nothing to do")
		}
	}
	kill()
	died := time.Now()
	for deadline := died.Add(drained); ; time.Sleep(50 * time.Millisecond) {
		waiting, err := s.Waiting(t.Context())
		if err == nil && waiting.Count == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages still wait, error %v", waiting.Count, err)
		}
	}
	t.Logf("all is published %v after the death of one relay, with %d messages under way", time.Since(died), len(victim.underWay))
	repeated := wantOrdered(t, published(t, cfg), keys, each)
	if troubles.Len() > 0 {
		t.Log("NOT SHOWN: that nothing else came twice: the machine is too busy for leases to be renewed in time")
		return
	}
	slices.Sort(repeated)
	slices.Sort(victim.underWay)
	if !slices.Equal(repeated, victim.underWay) {
		t.Errorf("came twice: %v, want %v", repeated, victim.underWay)
	}
}

// published gives all that is on the topic.
func published(t *testing.T, cfg stream.Config) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cfg.Brokers...), kgo.ConsumeTopics(cfg.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxWait(50*time.Millisecond))
	do(t, err)
	defer client.Close()
	offsets, err := kadm.NewClient(client).ListEndOffsets(t.Context(), cfg.Topic)
	do(t, err)
	var ends int64
	offsets.Each(func(o kadm.ListedOffset) { ends += o.Offset })
	var all []*kgo.Record
	for ctx := meshtest.Background(t); int64(len(all)) < ends; {
		all = append(all, client.PollFetches(ctx).Records()...)
		do(t, ctx.Err())
	}
	return all
}

// wantOrdered checks the order of each key, counting what comes again once, and gives the ids that came again.
func wantOrdered(t *testing.T, records []*kgo.Record, keys, each int) (repeated []string) {
	t.Helper()
	seen := map[string][]string{}
	for _, r := range records {
		key := string(r.Key)
		for _, h := range r.Headers {
			switch id := string(h.Value); {
			case h.Key != "ce_id":
			case slices.Contains(seen[key], id):
				repeated = append(repeated, id)
			default:
				seen[key] = append(seen[key], id)
			}
		}
	}
	for key, ids := range seen {
		if !slices.IsSorted(ids) || len(ids) != each {
			t.Errorf("%s: %d messages, in the order %v", key, len(ids), ids)
		}
	}
	if len(seen) != keys {
		t.Errorf("%d keys, want %d", len(seen), keys)
	}
	return repeated
}
