package stream

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.37.0/messagingconv"

	"eventprospect/mesh/outbox"
)

// scope names what measures.
const scope = "eventprospect/mesh/stream"

// systemKafka is what the messaging conventions call it.
const systemKafka = messagingconv.SystemAttr("kafka")

// relayMetrics measures what a relay publishes. What waits is asked of the room, not of the outbox.
type relayMetrics struct {
	sent  messagingconv.ClientSentMessages
	topic string
}

func newRelayMetrics(provider metric.MeterProvider, topic string, room *outbox.Room) (*relayMetrics, error) {
	meter := provider.Meter(scope)
	sent, err := messagingconv.NewClientSentMessages(meter)
	if err != nil {
		return nil, err
	}
	_, err = meter.Int64ObservableGauge("outbox.waiting", metric.WithUnit("{message}"),
		metric.WithDescription("Messages of committed changes that Kafka doesn't have yet, in the store that all instances share."),
		metric.WithInt64Callback(func(_ context.Context, observer metric.Int64Observer) error {
			observer.Observe(int64(room.Backlog().Count))
			return nil
		}))
	if err != nil {
		return nil, err
	}
	_, err = meter.Float64ObservableGauge("outbox.oldest.age", metric.WithUnit("s"),
		metric.WithDescription("How long ago the change happened whose message waits longest; 0 if none waits."),
		metric.WithFloat64Callback(func(_ context.Context, observer metric.Float64Observer) error {
			observer.Observe(age(room.Backlog()).Seconds())
			return nil
		}))
	return &relayMetrics{sent: sent, topic: topic}, err
}

func age(b outbox.Backlog) time.Duration {
	if b.Oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(b.Oldest))
}

// count counts messages by how their sending ended.
func (m *relayMetrics) count(ctx context.Context, results []error) {
	ended := map[string]int64{}
	for _, err := range results {
		ended[errorType(err)]++
	}
	for errorType, n := range ended {
		attributes := []attribute.KeyValue{m.sent.AttrDestinationName(m.topic)}
		if errorType != "" {
			attributes = append(attributes, m.sent.AttrErrorType(messagingconv.ErrorTypeAttr(errorType)))
		}
		m.sent.Add(ctx, n, "send", systemKafka, attributes...)
	}
}

// errorType names an error in one of few words; "" for none.
func errorType(err error) string {
	var refused *kerr.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Message
	case errors.Is(err, kgo.ErrRecordTimeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return string(messagingconv.ErrorTypeOther)
}
