package mesh

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/rpc"
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
	// Registry is the host and port of each registry, split by commas; any of them will do. Empty, as in the registry itself:
	// neither join nor resolve.
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

	// TLS is how this process speaks with the others of the mesh; by default in plaintext.
	TLS mtls.Config `koanf:"tls"`
	// Calls is how this process calls others.
	Calls     rpc.Calls        `koanf:"calls"`
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
		Calls:      rpc.DefaultCalls(),
		Auth:       auth.Default(client),
		Telemetry:  telemetry.Config{SampleRatio: 1},
	}
}

// Common gives the common part of a configuration that embeds it.
func (c Config) Common() Config { return c }

// Validate names every setting that can't work.
func (c Config) Validate() error {
	return errors.Join(
		isAddress("listen", c.Listen),
		isAddress("admin", c.Admin),
		isAddressIfSet("advertise", c.Advertise),
		areRegistriesIfSet("registry", c.Registry),
		isShort("drain", c.Drain),
		isShort("stop", c.Stop),
		Under("tls.server.", c.TLS.Server.Validate()),
		Under("tls.client.", c.TLS.Client.Validate()),
		Under("calls.", c.Calls.Validate()),
		Under("auth.", c.Auth.Validate()),
		Under("telemetry.", c.Telemetry.Validate()))
}

func isAddress(name, value string) error {
	if _, _, err := net.SplitHostPort(value); err != nil {
		return fmt.Errorf("%s: %q is not host:port", name, value)
	}
	return nil
}

func isAddressIfSet(name, value string) error {
	if value == "" {
		return nil
	}
	return isAddress(name, value)
}

func areRegistriesIfSet(name, value string) error {
	if value == "" {
		return nil
	}
	if _, _, err := discovery.Registries(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func isShort(name string, value time.Duration) error {
	if value < 0 || value > time.Minute {
		return fmt.Errorf("%s: %v is not between 0 and 1m", name, value)
	}
	return nil
}

// Under puts the section's prefix before each setting that the error names.
func Under(prefix string, err error) error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s%w", prefix, err)
	}
	var errs []error
	for _, one := range joined.Unwrap() {
		errs = append(errs, fmt.Errorf("%s%w", prefix, one))
	}
	return errors.Join(errs...)
}

// Configuration is what a process is configured with: a struct that embeds Config.
type Configuration interface {
	// Common gives the part that every process has.
	Common() Config
	// Validate names the settings that can't work, the common ones included.
	Validate() error
}
