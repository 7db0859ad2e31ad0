package stream

import (
	"errors"
	"fmt"
	"time"

	"eventprospect/mesh/mtls"
)

// Config says where Kafka is and what it keeps.
type Config struct {
	// Brokers are the hosts and ports to begin with.
	Brokers []string `koanf:"brokers"`
	// Topic carries the messages; Topic + ".dlq" those that could not be applied.
	Topic string `koanf:"topic"`
	// CreateTopics creates the two topics where they don't exist. Without it, whoever runs Kafka creates them.
	CreateTopics bool `koanf:"create_topics"`
	// Partitions is how many partitions a topic gets when it is created; it bounds how many consumers share it.
	Partitions int32 `koanf:"partitions"`
	// Replication is how many brokers keep a topic that is created; -1 leaves it to the brokers.
	Replication int16 `koanf:"replication"`
	// MinISR is how many replicas must have a record before it counts as written, for topics that are created
	// (min.insync.replicas); 0 leaves it to the brokers.
	MinISR int16 `koanf:"min_isr"`
	// Retention is for how long a topic that is created keeps a record (retention.ms), DLQRetention for how long its DLQ does;
	// 0 leaves it to the brokers.
	Retention    time.Duration `koanf:"retention"`
	DLQRetention time.Duration `koanf:"dlq_retention"`
	// TLS is how the brokers are spoken to; by default in plaintext.
	TLS mtls.ClientConfig `koanf:"tls"`
	// SASL is who this process is to the brokers; by default nobody.
	SASL SASLConfig `koanf:"sasl"`
}

// dlqRetention is longer than what brokers keep by default (a week): somebody has to look at what is on a DLQ.
const dlqRetention = 30 * 24 * time.Hour

// Defaults work with a broker on this machine. What a cluster should have is in docs/messaging.md.
func Defaults(topic string) Config {
	return Config{
		Brokers: []string{"localhost:9092"}, Topic: topic, CreateTopics: true,
		Partitions: 6, Replication: -1, DLQRetention: dlqRetention,
	}
}

// Validate names every setting that can't work. TLS has a Validate of its own.
func (c Config) Validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("brokers: name at least one host:port"))
	}
	if c.Topic == "" {
		errs = append(errs, errors.New("topic: must not be empty"))
	}
	errs = append(errs, c.validateKept()...)
	return errors.Join(append(errs, c.SASL.validate(c.TLS.Enabled, c.Brokers)...)...)
}

// validateKept checks what topics are created with.
func (c Config) validateKept() []error {
	var errs []error
	if c.Partitions < 1 {
		errs = append(errs, fmt.Errorf("partitions: %d is less than 1", c.Partitions))
	}
	if c.Replication < 1 && c.Replication != -1 {
		errs = append(errs, fmt.Errorf("replication: %d is neither -1 nor at least 1", c.Replication))
	}
	switch {
	case c.MinISR < 0:
		errs = append(errs, fmt.Errorf("min_isr: %d is neither 0 nor at least 1", c.MinISR))
	case c.Replication > 0 && c.MinISR > c.Replication:
		errs = append(errs, fmt.Errorf("min_isr: %d replicas can't have a record where replication is %d: nothing could be written", c.MinISR, c.Replication))
	}
	for setting, retention := range map[string]time.Duration{"retention": c.Retention, "dlq_retention": c.DLQRetention} {
		// Kafka takes whole milliseconds, and less than one would be none at all.
		if retention != 0 && retention < time.Second {
			errs = append(errs, fmt.Errorf("%s: %v is neither 0 (the brokers' default) nor at least 1s", setting, retention))
		}
	}
	return errs
}

// DLQ is the topic for records that could not be applied.
func (c Config) DLQ() string { return c.Topic + ".dlq" }
