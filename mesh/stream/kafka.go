// Package stream moves messages over Kafka: a relay that publishes what an outbox holds, and a consumer that applies
// each record once it is sure of it. Records are CloudEvents in Kafka's binary content mode
// (CloudEvents Kafka Protocol Binding 1.0.2, section 3.2).
package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"

	"eventprospect/mesh/mtls"
	"eventprospect/mesh/telemetry"
)

// Config says where Kafka is and what it keeps.
type Config struct {
	// Brokers are the hosts and ports to begin with.
	Brokers []string `koanf:"brokers"`
	// Topic carries the messages; Topic + ".dlq" those that could not be applied.
	Topic string `koanf:"topic"`
	// Partitions is how many partitions a topic gets when it is created; it bounds how many consumers share it.
	Partitions int32 `koanf:"partitions"`
	// Replication is how many brokers keep a topic that is created; -1 leaves it to the brokers.
	Replication int16 `koanf:"replication"`
	// TLS is how the brokers are spoken to; by default in plaintext.
	TLS mtls.ClientConfig `koanf:"tls"`
}

// Defaults work with a broker on this machine.
func Defaults(topic string) Config {
	return Config{Brokers: []string{"localhost:9092"}, Topic: topic, Partitions: 6, Replication: -1}
}

// Validate names the first setting that can't work. TLS has a Validate of its own.
func (c Config) Validate() error {
	switch {
	case len(c.Brokers) == 0:
		return errors.New("brokers: name at least one host:port")
	case c.Topic == "":
		return errors.New("topic: must not be empty")
	case c.Partitions < 1:
		return fmt.Errorf("partitions: %d is less than 1", c.Partitions)
	case c.Replication < 1 && c.Replication != -1:
		return fmt.Errorf("replication: %d is neither -1 nor at least 1", c.Replication)
	}
	return nil
}

// DLQ is the topic for records that could not be applied.
func (c Config) DLQ() string { return c.Topic + ".dlq" }

const (
	// deliveryTimeout bounds how long a record is tried to be sent, and requestTimeout each of the two waits of one
	// attempt: for the brokers to agree, and for the answer.
	deliveryTimeout = 15 * time.Second
	requestTimeout  = 5 * time.Second
)

// newClient makes a client that produces at once, keeps every acknowledged record, and traces what it does. It connects when it
// is first used.
func newClient(cfg Config, traces *telemetry.Traces, log *slog.Logger, more ...kgo.Opt) (*kgo.Client, *kotel.Tracer, error) {
	if cfg.TLS.Enabled {
		secure, err := mtls.NewClient(cfg.TLS, tls.VersionTLS12, log)
		if err != nil {
			return nil, nil, fmt.Errorf("kafka.tls.%w", err)
		}
		more = append(more, kgo.Dialer(secure.DialContext))
	}
	tracer := kotel.NewTracer(kotel.TracerProvider(traces), kotel.TracerPropagator(traces))
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.WithHooks(kotel.NewKotel(kotel.WithTracer(tracer)).Hooks()...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		// The default lingers for 10 ms to fill batches; the relay hands over whole batches already.
		kgo.ProducerLinger(0),
		// A record whose fate isn't known is given up, too, so that nobody waits for a broker that is gone: what was given up
		// is sent again later, and may then be there twice.
		kgo.RecordDeliveryTimeout(deliveryTimeout),
		kgo.AllowIdempotentProduceCancellation(),
		kgo.ProduceRequestTimeout(requestTimeout),
		kgo.RequestTimeoutOverhead(requestTimeout),
	}, more...)...)
	if err != nil {
		return nil, nil, fmt.Errorf("kafka: %w", err)
	}
	return client, tracer, nil
}

// ensureTopics creates the topic and its DLQ where they don't exist, and tries until it is done or the context ends. Topics are
// never left to be created by themselves: those get the broker's defaults, and kfake loses them when it is killed.
func ensureTopics(ctx context.Context, client *kgo.Client, cfg Config, log *slog.Logger) error {
	admin := kadm.NewClient(client)
	for wait := newBackoff(100*time.Millisecond, 5*time.Second); ; {
		err := createTopics(ctx, admin, cfg)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		log.Warn("kafka topics not ready", "error", err)
		wait.pause(ctx)
	}
}

func createTopics(ctx context.Context, admin *kadm.Client, cfg Config) error {
	answers, err := admin.CreateTopics(ctx, cfg.Partitions, cfg.Replication, nil, cfg.Topic, cfg.DLQ())
	if err != nil {
		return err
	}
	for _, answer := range answers.Sorted() {
		if answer.Err != nil && !errors.Is(answer.Err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("topic %s: %w", answer.Topic, answer.Err)
		}
	}
	return nil
}
