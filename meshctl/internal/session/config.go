// Package session is what all commands share: the settings, the console, and the ways to Kafka and to the services.
package session

import (
	"errors"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/stream"
)

// Prefix is that of the settings in the environment.
const Prefix = "MESHCTL"

// client is the OAuth client that the tool is, and its secret in the realm file for laptops, where everybody may read it.
const (
	client       = "meshctl"
	laptopSecret = "meshctl"
)

// Config is what the tool is told; each setting is also an environment variable, MESHCTL_REGISTRY for registry.
type Config struct {
	mesh.CallerConfig `koanf:",flatten"`

	// Kafka is where the messages about prospects are. Nothing is created there.
	Kafka stream.Config `koanf:"kafka"`
	// Group is the consumer group of the Event service.
	Group string `koanf:"group"`
}

// Default works on a laptop.
func Default() Config {
	return Config{CallerConfig: mesh.CallerDefaults(client), Kafka: stream.Defaults("prospect-events"), Group: "event"}
}

// Load reads the settings from a file, if one is named, and the environment.
func Load(path string, environ []string) (Config, error) {
	cfg, err := conf.Load(Default(), Prefix, path, environ)
	if err != nil {
		return cfg, err
	}
	if cfg.Auth == Default().Auth { // nobody has said who else: the issuer is that of this machine
		cfg.Auth.ClientSecret = laptopSecret
	}
	return cfg, cfg.Validate()
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{mesh.Under("kafka.", c.Kafka.Validate()), mesh.Under("kafka.tls.", c.Kafka.TLS.Validate())}
	if c.Group == "" {
		errs = append(errs, errors.New("group: must not be empty"))
	}
	return errors.Join(append(errs, c.CallerConfig.Validate())...)
}
