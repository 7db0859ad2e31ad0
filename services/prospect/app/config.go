package app

import (
	"errors"
	"fmt"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/stream"
)

// Config is the Prospect service's configuration; each setting is also an environment variable, PROSPECT_STORE for store.
type Config struct {
	mesh.Config `koanf:",flatten"`

	// Store is where prospects are kept: sqlite:FILE, or mongodb://USER:PASSWORD@HOST:PORT/DATABASE.
	Store conf.Secret `koanf:"store"`
	// Kafka is where the messages about prospects go.
	Kafka stream.Config `koanf:"kafka"`
	// Outbox is what may wait to be published there.
	Outbox OutboxConfig `koanf:"outbox"`
	// EventBreaker is for the question to the Event service whether an event exists: a caller waits for the answer.
	EventBreaker rpc.BreakerConfig `koanf:"event_breaker"`
}

// OutboxConfig bounds the outbox.
type OutboxConfig struct {
	// MaxWaiting is how many messages may wait: from there on changes of prospects are refused. 0: any number.
	MaxWaiting int `koanf:"max_waiting"`
}

// Validate names every setting that can't work.
func (c OutboxConfig) Validate() error {
	if c.MaxWaiting < 0 {
		return fmt.Errorf("max_waiting: %d is neither 0 (any number) nor at least 1", c.MaxWaiting)
	}
	return nil
}

// Default works on a laptop.
func Default() Config {
	return Config{
		Config: mesh.Defaults("9090", "19090", "prospect-service"),
		Store:  "sqlite:prospect.db",
		Kafka:  stream.Defaults("prospect-events"),
		Outbox: OutboxConfig{MaxWaiting: 1_000_000},

		EventBreaker: rpc.DefaultBreaker(),
	}
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	return errors.Join(
		mesh.Under("kafka.", c.Kafka.Validate()),
		mesh.Under("kafka.tls.", c.Kafka.TLS.Validate()),
		mesh.Under("outbox.", c.Outbox.Validate()),
		mesh.Under("event_breaker.", c.EventBreaker.Validate()),
		c.Config.Validate())
}
