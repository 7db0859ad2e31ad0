package mesh

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/telemetry"
)

// Config is what every process of the mesh is told. A process's own configuration embeds it.
type Config struct {
	// Listen is the host and port of the main listener.
	Listen string `koanf:"listen"`
	// Admin is the host and port for liveness (/livez) and readiness (/readyz).
	Admin string `koanf:"admin"`
	// Advertise is the host and port under which others reach the main listener. Empty: where it listens.
	Advertise string `koanf:"advertise"`
	// Registry is the host and port of the registry. Empty, as in the registry itself: neither join nor resolve.
	Registry string `koanf:"registry"`
	// Zone is told to the registry.
	Zone string `koanf:"zone"`
	// Reflection offers gRPC reflection, so that grpcurl works without the contracts at hand.
	Reflection bool `koanf:"reflection"`
	// LogLevel is the least level that is logged: debug, info, warn or error.
	LogLevel slog.Level `koanf:"log_level"`
	// Drain is how long a stopping process goes on serving after it has left the registry, so that callers hear of it.
	Drain time.Duration `koanf:"drain"`
	// Stop bounds the whole of a graceful stop; what isn't finished then is cut off.
	Stop time.Duration `koanf:"stop"`

	Auth      auth.Config      `koanf:"auth"`
	Telemetry telemetry.Config `koanf:"telemetry"`
}

// Defaults work on a laptop. The process listens on these ports of localhost and acts as this OAuth client.
func Defaults(port, adminPort, client string) Config {
	return Config{
		Listen:     "localhost:" + port,
		Admin:      "localhost:" + adminPort,
		Registry:   "localhost:8761",
		Reflection: true,
		Drain:      100 * time.Millisecond,
		Stop:       4 * time.Second,
		Auth:       auth.Default(client),
		Telemetry:  telemetry.Config{SampleRatio: 1},
	}
}

// Common gives the common part of a configuration that embeds it.
func (c Config) Common() Config { return c }

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{wrap("auth.", c.Auth.Validate()), wrap("telemetry.", c.Telemetry.Validate())}
	for name, value := range map[string]string{"listen": c.Listen, "admin": c.Admin, "advertise": c.Advertise, "registry": c.Registry} {
		if value == "" && (name == "advertise" || name == "registry") {
			continue
		}
		if _, _, err := net.SplitHostPort(value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is not host:port", name, value))
		}
	}
	for name, value := range map[string]time.Duration{"drain": c.Drain, "stop": c.Stop} {
		if value < 0 || value > time.Minute {
			errs = append(errs, fmt.Errorf("%s: %v is not between 0 and 1m", name, value))
		}
	}
	return errors.Join(errs...)
}

func wrap(prefix string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%w", prefix, err)
}

// Configuration is what a process is configured with: a struct that embeds Config.
type Configuration interface {
	// Common gives the part that every process has.
	Common() Config
	// Validate names the settings that can't work, the common ones included.
	Validate() error
}
