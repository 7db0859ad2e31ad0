package app

import (
	"errors"
	"fmt"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/stream"
)

// Config is the Prospect service's configuration; each setting is also an environment variable, PROSPECT_STORE for store.
type Config struct {
	mesh.Config `koanf:",flatten"`

	// Store is where prospects are kept: sqlite:FILE, or mongodb://USER:PASSWORD@HOST:PORT/DATABASE.
	Store conf.Secret `koanf:"store"`
	// Kafka is where the messages about prospects go.
	Kafka stream.Config `koanf:"kafka"`
}

// Default works on a laptop.
func Default() Config {
	return Config{
		Config: mesh.Defaults("9090", "19090", "prospect-service"),
		Store:  "sqlite:prospect.db",
		Kafka:  stream.Defaults("prospect-events"),
	}
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	var kafka error
	if err := c.Kafka.Validate(); err != nil {
		kafka = fmt.Errorf("kafka.%w", err)
	}
	return errors.Join(kafka, c.Config.Validate())
}
