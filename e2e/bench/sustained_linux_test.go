package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"

	"eventprospect/e2e/client"
	"eventprospect/e2e/command"
	"eventprospect/e2e/databases"
	"eventprospect/e2e/kafka/kafkatest"
)

const (
	// warmUpSustained bounds how many prospects are created before those that count: Kafka's Java is slow at first.
	warmUpSustained = 5_000
	// drainEvery is how often the system is asked whether all is visible: rarely, because it counts then.
	drainEvery = 25 * time.Millisecond
	// drainPatience bounds how long that may take.
	drainPatience = 5 * time.Minute
)

// ground is what the system stands on beside the Prospect service's SQLite. What stands in for MongoDB would tell nothing of MongoDB.
type ground struct {
	name       string
	eventStore func(testing.TB) string // nil: SQLite
	broker     func(testing.TB) string // nil: kfake, in the system's process
}

var grounds = []ground{
	{"sqlite-kfake", nil, nil},
	{"mariadb-kafka", databases.MariaDB, kafkatest.Usual},
	{"postgres-kafka", databases.PostgreSQL, kafkatest.Usual},
}

// BenchmarkSustained is what a system in a process of its own keeps up with: how many prospects per second are acknowledged over
// REST, how many are created and visible as events, and what the processes spend on each until nothing waits any more.
func BenchmarkSustained(b *testing.B) {
	dev := command.Build(b)
	for _, g := range grounds {
		b.Run(g.name, func(b *testing.B) {
			s := startSustained(b, dev, g)
			for _, callers := range []int{16, 64} {
				b.Run(fmt.Sprint(callers), func(b *testing.B) { s.measure(b, callers) })
			}
		})
	}
}

// sustained is a system under load.
type sustained struct {
	*world
	outbox  prospectv1.OutboxServiceClient
	spent   spent
	created int32
}

func startSustained(b *testing.B, dev string, g ground) *sustained {
	b.Helper()
	args, known := []string{"-free", "-data", b.TempDir()}, spent{}
	if g.eventStore != nil {
		address := g.eventStore(b)
		args = append(args, "-event-store", address)
		known.add("database-", parse(b, address).Host)
	}
	if g.broker != nil {
		address := g.broker(b)
		args = append(args, "-kafka", address)
		known.add("broker-", address)
	}
	p := command.Start(b, dev, args...)
	known[""] = p.PID()
	b.Cleanup(func() {
		// It leaves the consumer group, for the next one to begin at once.
		if err := p.Interrupt(); err != nil {
			b.Error(err)
		}
		<-p.Ended()
	})
	s := &sustained{world: newWorldOf(b, p.Client), spent: known}
	conn, err := p.Conn("prospect.v1")
	if err != nil {
		b.Fatal(err)
	}
	s.outbox = prospectv1.NewOutboxServiceClient(conn)
	return s
}

// measure creates b.N prospects, and waits until the events of all are there.
func (s *sustained) measure(b *testing.B, callers int) {
	s.create(b, callers, min(b.N, warmUpSustained))
	s.drain(b)
	before := s.spent.read(b)
	b.ResetTimer()
	took := s.create(b, callers, b.N)
	acknowledged := b.Elapsed()
	s.drain(b)
	visible := b.Elapsed()
	b.StopTimer()
	for name, after := range s.spent.read(b) {
		b.ReportMetric(float64((after-before[name]).Microseconds())/float64(b.N), name+"CPU-µs/create")
	}
	b.ReportMetric(0, "ns/op") // the rates tell it
	b.ReportMetric(float64(b.N)/acknowledged.Seconds(), "creates/s")
	b.ReportMetric(float64(b.N)/visible.Seconds(), "visible/s")
	report(b, took)
}

// create has callers create so many prospects over REST, and tells how long each took.
func (s *sustained) create(b *testing.B, callers, n int) []time.Duration {
	b.Helper()
	took := make([]time.Duration, n)
	var done atomic.Int64
	run(b, callers, n, func(ctx context.Context) error {
		begin := time.Now()
		_, err := s.createREST(ctx)
		took[done.Add(1)-1] = time.Since(begin)
		return err
	})
	s.created += int32(n) //nolint:gosec // far from two thousand million
	return took
}

// drain waits until each prospect has its event, and only one, and nothing waits to be published.
func (s *sustained) drain(b *testing.B) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), drainPatience)
	defer cancel()
	for {
		events, waiting, err := s.progress(ctx)
		switch {
		case err != nil:
			b.Fatalf("%d of %d events, %d messages wait: %v", events, s.created, waiting, err)
		case events > s.created:
			b.Fatalf("%d events of %d prospects", events, s.created)
		case events == s.created && waiting == 0:
			return
		}
		time.Sleep(drainEvery)
	}
}

// progress tells how many events there are, and how many messages wait to be published.
func (s *sustained) progress(ctx context.Context) (events int32, waiting int64, err error) {
	admin, err := s.As(ctx, client.Admin)
	if err != nil {
		return 0, 0, err
	}
	page, err := s.events.PageEvents(admin, &eventv1.PageEventsRequest{PageSize: 1})
	if err != nil {
		return 0, 0, err
	}
	backlog, err := s.outbox.GetOutbox(admin, &prospectv1.GetOutboxRequest{})
	return page.GetTotalElements(), backlog.GetWaitingCount(), err
}
