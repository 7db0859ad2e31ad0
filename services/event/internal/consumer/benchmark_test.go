package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/metric/noop"

	"eventprospect/mesh/meshtest"
	meshmysql "eventprospect/mesh/mysql"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/mysql"
	"eventprospect/services/event/internal/store/postgres"
	"eventprospect/services/event/internal/store/sqlite"
)

type store interface {
	event.Store
	Close() error
}

// engines open an empty store each.
var engines = map[string]func(b *testing.B) (store, error){
	"sqlite": func(b *testing.B) (store, error) {
		return sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "event.db"))
	},
	"mysql": func(b *testing.B) (store, error) {
		server, name := meshtest.Database(b, "EVENTPROSPECT_TEST_MYSQL"), meshtest.NewName()
		db, err := meshmysql.Connect(server)
		if err != nil {
			return nil, err
		}
		b.Cleanup(func() {
			_, err := db.ExecContext(meshtest.Background(b), "DROP DATABASE "+name)
			if err = errors.Join(err, db.Close()); err != nil {
				b.Error(err)
			}
		})
		if _, err := db.ExecContext(b.Context(), "CREATE DATABASE "+name); err != nil {
			return nil, err
		}
		return mysql.Open(b.Context(), meshtest.WithName(b, server, name))
	},
	"postgres": func(b *testing.B) (store, error) {
		server, name := meshtest.Database(b, "EVENTPROSPECT_TEST_POSTGRES"), meshtest.NewName()
		conn, err := pgx.Connect(b.Context(), server)
		if err != nil {
			return nil, err
		}
		b.Cleanup(func() {
			ctx := meshtest.Background(b)
			_, err := conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			if err = errors.Join(err, conn.Close(ctx)); err != nil {
				b.Error(err)
			}
		})
		if _, err := conn.Exec(b.Context(), "CREATE DATABASE "+name); err != nil {
			return nil, err
		}
		return postgres.Open(b.Context(), meshtest.WithName(b, server, name))
	},
}

// BenchmarkConsumer measures how fast a backlog in Kafka becomes events in a durable store, with Kafka and all in this process: msgs/s.
func BenchmarkConsumer(b *testing.B) {
	for name, open := range engines {
		b.Run(name, func(b *testing.B) {
			kept, err := open(b)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = kept.Close() })
			events := event.NewService(kept, uuid.NewString, time.Now)
			kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, "prospect-events", "prospect-events.dlq"))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(kafka.Close)
			fill(b, kafka, b.N)
			b.ResetTimer()
			consume(b, kafka, events, b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msgs/s")
			if _, total, err := events.Page(b.Context(), 0, 1); err != nil || total != b.N {
				b.Errorf("%d events of %d messages, error %v", total, b.N, err)
			}
		})
	}
}

// fill puts so many messages, each of a prospect of its own, on the topic.
func fill(b *testing.B, kafka *kfake.Cluster, n int) {
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.ListenAddrs()...))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	for i := range n {
		value := encode(b, numbered(i))
		client.Produce(b.Context(), &kgo.Record{Topic: "prospect-events", Key: fmt.Append(nil, i), Value: value}, nil)
	}
	if err := client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// consume runs a consumer until there are so many events.
func consume(b *testing.B, kafka *kfake.Cluster, events *event.Service, n int) {
	handler, err := consumer.New(events)
	if err != nil {
		b.Fatal(err)
	}
	traces, err := telemetry.NewTraces("bench", telemetry.Config{})
	if err != nil {
		b.Fatal(err)
	}
	cfg := stream.Defaults("prospect-events")
	cfg.Brokers = kafka.ListenAddrs()
	applied := make(chan int, 1<<20)
	c, err := stream.NewConsumer(cfg, "event", func(ctx context.Context, records []*kgo.Record) []error {
		results := handler.Handle(ctx, records)
		if err := errors.Join(results...); err != nil {
			b.Error(err)
		}
		applied <- len(records)
		return results
	}, stream.Telemetry{Traces: traces, Metrics: noop.NewMeterProvider(), Log: telemetry.NewLog(io.Discard, "bench", 0)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	for done := 0; done < n; {
		done += <-applied
	}
	b.StopTimer()
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}
