// Package stream moves messages over Kafka: a relay that publishes what an outbox holds, and a consumer that applies
// each record once it is sure of it. Records are CloudEvents in Kafka's binary content mode
// (CloudEvents Kafka Protocol Binding 1.0.2, section 3.2).
package stream

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
	"go.opentelemetry.io/otel/metric"

	"eventprospect/mesh/mtls"
	"eventprospect/mesh/telemetry"
)

const (
	// deliveryTimeout bounds how long a record is tried to be sent, and requestTimeout each of the two waits of one
	// attempt: for the brokers to agree, and for the answer.
	deliveryTimeout = 15 * time.Second
	requestTimeout  = 5 * time.Second
)

// Telemetry is where a relay or a consumer tells what it does.
type Telemetry struct {
	Traces  *telemetry.Traces
	Metrics metric.MeterProvider
	Log     *slog.Logger
}

// newClient makes a client that produces at once, keeps every acknowledged record, and traces what it does. It connects when it
// is first used.
func newClient(cfg Config, tell Telemetry, more ...kgo.Opt) (*kgo.Client, *kotel.Tracer, error) {
	if cfg.TLS.Enabled {
		secure, err := mtls.NewClient(cfg.TLS, tls.VersionTLS12, tell.Log)
		if err != nil {
			return nil, nil, fmt.Errorf("kafka.tls.%w", err)
		}
		more = append(more, kgo.Dialer(secure.DialContext))
	}
	if mechanism := cfg.SASL.mechanism(); mechanism != nil {
		more = append(more, kgo.SASL(mechanism))
	}
	tracer := kotel.NewTracer(kotel.TracerProvider(tell.Traces), kotel.TracerPropagator(tell.Traces))
	client, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(cfg.Brokers...),
		kgo.WithHooks(kotel.NewKotel(kotel.WithTracer(tracer)).Hooks()...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		// The default is Snappy, which not all clients have; a few hundred bytes don't need it.
		kgo.ProducerBatchCompression(kgo.NoCompression()),
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
