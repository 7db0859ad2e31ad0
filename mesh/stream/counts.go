package stream

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.37.0/messagingconv"
)

// counts are what a consumer measures, called as OpenTelemetry's conventions for messaging have it where they know such a thing.
type counts struct {
	meter    metric.Meter
	consumed messagingconv.ClientConsumedMessages
	duration messagingconv.ProcessDuration
	buried   metric.Int64Counter
	lag      metric.Int64ObservableGauge

	about []attribute.KeyValue // topic and group
	dlq   attribute.KeyValue
}

func newCounts(provider metric.MeterProvider, cfg Config, group string) (*counts, error) {
	c := &counts{meter: provider.Meter("eventprospect/mesh/stream")}
	c.about = []attribute.KeyValue{c.consumed.AttrDestinationName(cfg.Topic), c.consumed.AttrConsumerGroupName(group)}
	c.dlq = c.consumed.AttrDestinationName(cfg.DLQ())
	var err error
	if c.consumed, err = messagingconv.NewClientConsumedMessages(c.meter); err != nil {
		return nil, err
	}
	if c.duration, err = messagingconv.NewProcessDuration(c.meter, metric.WithExplicitBucketBoundaries(
		0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)); err != nil {
		return nil, err
	}
	if c.buried, err = c.meter.Int64Counter("messaging.dlq.messages", metric.WithUnit("{message}"),
		metric.WithDescription("Records that were put on the DLQ.")); err != nil {
		return nil, err
	}
	c.lag, err = c.meter.Int64ObservableGauge("messaging.consumer.lag", metric.WithUnit("{message}"),
		metric.WithDescription("Records of a partition from the first one on that isn't settled."))
	return c, err
}

// with gives attributes besides topic and group.
func (c *counts) with(more ...attribute.KeyValue) []attribute.KeyValue {
	return append(c.about[:len(c.about):len(c.about)], more...)
}

// received counts records that came from Kafka, again or not.
func (c *counts) received(n int) {
	c.consumed.Add(context.Background(), int64(n), "poll", messagingconv.SystemKafka, c.with()...)
}

// processed notes how long an attempt took, with one record or many.
func (c *counts) processed(took time.Duration, results []error) {
	about := c.with()
	if kind := kindOf(results); kind != "" {
		about = c.with(c.duration.AttrErrorType(messagingconv.ErrorTypeAttr(kind)))
	}
	c.duration.Record(context.Background(), took.Seconds(), "process", messagingconv.SystemKafka, about...)
}

// kindOf says what kind of failure is in an attempt; "" if none.
func kindOf(results []error) (kind string) {
	for _, err := range results {
		switch {
		case err == nil:
		case isAway(err):
			return "unavailable"
		default:
			kind = "failed"
		}
	}
	return kind
}

// dead counts a record that was put on the DLQ.
func (c *counts) dead(reason string) {
	c.buried.Add(context.Background(), 1, metric.WithAttributes(
		c.dlq, c.about[1], attribute.String("messaging.system", string(messagingconv.SystemKafka)), attribute.String("reason", reason)))
}

// watchLag has the lag of each lane observed until it is told to end.
func (c *Consumer) watchLag() (end func(), err error) {
	watched, err := c.counts.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, l := range c.open() {
			partition := c.counts.consumed.AttrDestinationPartitionID(strconv.Itoa(int(l.partition)))
			o.ObserveInt64(c.counts.lag, l.lag(), metric.WithAttributes(c.counts.with(partition)...))
		}
		return nil
	}, c.counts.lag)
	if err != nil {
		return nil, err
	}
	return func() { _ = watched.Unregister() }, nil // it is registered, and no other error is known
}
