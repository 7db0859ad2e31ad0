package app

import (
	"errors"
	"time"

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
	// InboxRetention is for how long a message is known after it was applied; 0: for ever. One that comes again later finds its event,
	// but makes it anew if somebody has deleted it.
	InboxRetention time.Duration `koanf:"inbox_retention"`
}

// inboxRetention is more than twice what Kafka keeps a message by default: a week, and 30 days on the DLQ.
const inboxRetention = 90 * 24 * time.Hour

// Default works on a laptop.
func Default() Config {
	return Config{
		Config: mesh.Defaults("8080", "18080", "event-service"),
		Store:  "sqlite:event.db",
		Kafka:  stream.Defaults("prospect-events"),
		Group:  "event",

		InboxRetention: inboxRetention,
	}
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{mesh.Under("kafka.", c.Kafka.Validate()), mesh.Under("kafka.tls.", c.Kafka.TLS.Validate())}
	if c.Group == "" {
		errs = append(errs, errors.New("group: must not be empty"))
	}
	errs = append(errs, validateInbox(c.InboxRetention, c.Kafka))
	return errors.Join(append(errs, c.Config.Validate())...)
}
