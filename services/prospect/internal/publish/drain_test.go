package publish_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/otel/metric/noop"

	"eventprospect/mesh/outbox"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/telemetry"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/publish"
	"eventprospect/services/prospect/internal/store/sqlite"
)

// BenchmarkDrain publishes what has waited in SQLite while Kafka was away: 5 messages of each prospect.
func BenchmarkDrain(b *testing.B) {
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "prospect.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	messages := make([]outbox.Message, b.N)
	for i := range messages {
		messages[i] = outbox.Message{
			ID: fmt.Sprintf("%036d", i), Key: fmt.Sprintf("%036d", i%(b.N/5+1)), Type: "prospect.events.v1.updated", Time: time.Now(),
			Payload: make([]byte, 150), Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		}
	}
	if err := store.Create(b.Context(), prospect.Prospect{ID: "p", Version: 1}, messages...); err != nil {
		b.Fatal(err)
	}
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(kafka.Close)
	cfg := stream.Defaults("prospect-events")
	cfg.Brokers = kafka.ListenAddrs()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		b.Fatal(err)
	}
	relay, err := stream.NewRelay(store, cfg, publish.Source,
		stream.Telemetry{Traces: traces, Metrics: noop.NewMeterProvider(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = relay.Run(b.Context()) }()
	b.Cleanup(func() { <-ended })
	for waiting := b.N; waiting > 0; time.Sleep(time.Millisecond) {
		found, err := store.Waiting(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		waiting = found.Count
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
