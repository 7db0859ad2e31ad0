package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"

	"eventprospect/mesh/outbox"
	"eventprospect/mesh/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// broker is a Kafka that can go away and come back with all that it had.
type broker struct {
	*kfake.Cluster
	*gate
	cfg Config
	// own is the client of what a test does itself.
	own *kgo.Client
}

func newBroker(t *testing.T) *broker {
	t.Helper()
	b := &broker{gate: &gate{open: map[net.Conn]bool{}}}
	var err error
	b.Cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(b.listen))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	b.cfg = Config{Brokers: b.ListenAddrs(), Topic: "things", CreateTopics: true, Partitions: 3, Replication: -1}
	b.own = b.client(t)
	return b
}

// gate is a listener that can be shut: then it cuts every connection, old and new. Or it falls silent: connections stay open, and
// nothing is heard of them any more.
type gate struct {
	net.Listener
	silent atomic.Bool
	mu     sync.Mutex
	shut   bool
	open   map[net.Conn]bool
}

func (g *gate) listen(network, address string) (net.Listener, error) {
	var err error
	g.Listener, err = net.Listen(network, address)
	return g, err
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		accepted, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		conn := &passage{Conn: accepted, silent: &g.silent, closed: make(chan struct{})}
		if g.keep(conn) {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// passage is a connection through a gate.
type passage struct {
	net.Conn
	silent *atomic.Bool
	once   sync.Once
	closed chan struct{}
}

func (p *passage) Read(to []byte) (int, error) {
	n, err := p.Conn.Read(to)
	if p.silent.Load() {
		<-p.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (p *passage) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Conn.Close()
}

func (g *gate) keep(conn net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[conn] = true
	return !g.shut
}

// away cuts the broker off, or lets it come back.
func (g *gate) away(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	for conn := range g.open {
		_ = conn.Close()
	}
	clear(g.open)
}

// client gives a bare client of the broker.
func (b *broker) client(t *testing.T, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.cfg.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// topics creates the topics as the relay and the consumer do.
func (b *broker) topics(t *testing.T) {
	t.Helper()
	if err := newCluster(b.client(t), b.cfg, publishing(b.cfg), quiet(t)).ensure(within(t)); err != nil {
		t.Fatal(err)
	}
}

// produce puts records on a topic, by the partitions that they name.
func (b *broker) produce(t *testing.T, records ...*kgo.Record) {
	t.Helper()
	for _, r := range records {
		if r.Topic == "" {
			r.Topic = b.cfg.Topic
		}
	}
	if err := b.own.ProduceSync(within(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// read reads n records of a topic from its beginning.
func (b *broker) read(t *testing.T, topic string, n int) []*kgo.Record {
	t.Helper()
	client := b.client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	var all []*kgo.Record
	for ctx := within(t); len(all) < n; {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d records on %s, want %d: %v", len(all), topic, n, err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func quiet(t *testing.T) *slog.Logger { return telemetry.NewLog(t.Output(), "test", slog.LevelWarn) }

// telling tells the log alone.
func telling(t *testing.T, log *slog.Logger) Telemetry {
	t.Helper()
	return Telemetry{noTraces(t), noop.NewMeterProvider(), log}
}

func noTraces(t *testing.T) *telemetry.Traces {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return traces
}

// start runs an actor until the test ends or stop is called, which returns when the actor has ended.
func start(t *testing.T, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := run(ctx); err != nil {
			t.Errorf("ended with: %v", err)
		}
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// queue is an outbox in memory, for one relay.
type queue struct {
	mu      sync.Mutex
	waiting []outbox.Message
	done    []string
	// claims, renewals and looks count the calls, freed is what was given free last.
	claims, renewals, looks int
	freed                   []outbox.Message
	// How many of the next calls fail.
	claimFails, renewFails, doneFails, lookFails int
}

var errAway = errors.New("the database is away")

func (q *queue) add(messages ...outbox.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, messages...)
}

func (q *queue) Claim(_ context.Context, _ string, limit int, _ time.Duration) ([]outbox.Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims++
	if q.claimFails > 0 {
		q.claimFails--
		return nil, errAway
	}
	return slices.Clone(q.waiting[:min(limit, len(q.waiting))]), nil
}

func (q *queue) Renew(_ context.Context, _ string, held []outbox.Message, lease time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if lease == 0 {
		q.freed = slices.Clone(held)
		return nil
	}
	q.renewals++
	if q.renewFails > 0 {
		q.renewFails--
		return errAway
	}
	return nil
}

func (q *queue) Waiting(context.Context) (outbox.Backlog, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.looks++
	if q.lookFails > 0 {
		q.lookFails--
		return outbox.Backlog{}, errAway
	}
	if len(q.waiting) == 0 {
		return outbox.Backlog{}, nil
	}
	return outbox.Backlog{Count: len(q.waiting), Oldest: q.waiting[0].Time}, nil
}

func (q *queue) Done(_ context.Context, published []outbox.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(published) > 0 && q.doneFails > 0 {
		q.doneFails--
		return errAway
	}
	for _, m := range published {
		q.done = append(q.done, m.ID)
	}
	q.waiting = slices.DeleteFunc(q.waiting, func(m outbox.Message) bool { return slices.Contains(q.done, m.ID) })
	return nil
}

func (q *queue) state() (waiting, done, claims int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), len(q.done), q.claims
}

func (q *queue) isEmpty() bool { waiting, _, _ := q.state(); return waiting == 0 }

// message makes the n-th message of a key.
func message(key string, n int) outbox.Message {
	return outbox.Message{
		ID: fmt.Sprintf("%s-%03d", key, n), Key: key, Type: "things.v1.made", Payload: fmt.Appendf(nil, "payload %d", n),
		// Long ago: a message may wait for longer than any timeout of the client.
		Time: time.Date(2020, 11, 23, 10, 20, 30, 123456000, time.UTC),
	}
}

// header gives a header's value; "" if there is none.
func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}
