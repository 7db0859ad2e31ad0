package app

import (
	"errors"
	"fmt"
	"time"

	"eventprospect/mesh"
	"eventprospect/mesh/rpc"
)

// maxTimeout leaves time to say that time is up: at 30 s the HTTP server gives up reading the connection, and cancels
// the request that is under way on it.
const maxTimeout = 25 * time.Second

// Config is what the gateway is told besides what every process is.
type Config struct {
	mesh.Config `koanf:",flatten"`

	// MaxBody bounds the body of a request, in bytes; a longer one gets 413.
	MaxBody int64 `koanf:"max_body"`
	// Timeout bounds a request, the call to the service included; a longer one gets 504.
	Timeout time.Duration `koanf:"timeout"`
}

// Default works on a laptop, but for the secret of its account.
func Default() Config {
	return Config{
		Config:  mesh.Defaults("8081", "18081", "gateway-service"),
		MaxBody: 1 << 20,
		Timeout: 10 * time.Second,
	}
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{c.Config.Validate()}
	if c.Registry == "" {
		errs = append(errs, errors.New("registry: must not be empty: it is what finds the services"))
	}
	if c.MaxBody < 1 || c.MaxBody > rpc.MaxMessage {
		errs = append(errs, fmt.Errorf("max_body: %d is not between 1 and %d", c.MaxBody, rpc.MaxMessage))
	}
	if c.Timeout <= 0 || c.Timeout > maxTimeout {
		errs = append(errs, fmt.Errorf("timeout: %v is not between 0 and %v", c.Timeout, maxTimeout))
	}
	return errors.Join(errs...)
}
