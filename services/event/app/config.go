package app

import (
	"errors"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/stream"
)

// Config is the Event service's configuration; each setting is also an environment variable, EVENT_STORE for store.
type Config struct {
	mesh.Config `koanf:",flatten"`

	// Store is where events are kept: sqlite:FILE, mysql://USER:PASSWORD@HOST:PORT/DATABASE (MariaDB, too), or
	// postgres://USER:PASSWORD@HOST:PORT/DATABASE.
	Store conf.Secret `koanf:"store"`
	// Kafka is where the messages about prospects come from.
	Kafka stream.Config `koanf:"kafka"`
	// Group is the consumer group that all instances of this service share.
	Group string `koanf:"group"`
}

// Default works on a laptop.
func Default() Config {
	return Config{
		Config: mesh.Defaults("8080", "18080", "event-service"),
		Store:  "sqlite:event.db",
		Kafka:  stream.Defaults("prospect-events"),
		Group:  "event",
	}
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{mesh.Under("kafka.", c.Kafka.Validate()), mesh.Under("kafka.tls.", c.Kafka.TLS.Validate())}
	if c.Group == "" {
		errs = append(errs, errors.New("group: must not be empty"))
	}
	return errors.Join(append(errs, c.Config.Validate())...)
}
