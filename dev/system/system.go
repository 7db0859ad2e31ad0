// Package system runs the whole system in one process, on embedded parts: what a laptop and a test need, with nothing to install.
package system

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"eventprospect/dev/internal/issuer"
)

// Config says how to run the system.
type Config struct {
	// Data is the folder for all state. Empty: a temporary one, removed at the end.
	Data string
	// Ports to listen on.
	Ports Ports
	// Issuer is the URL of a realm that somebody else serves, such as a Keycloak; its service accounts have the secrets of the
	// realm of this repository. Empty: the development issuer is started, with Realm.
	Issuer string
	// Realm is a Keycloak realm export: users, clients and roles.
	Realm []byte
	// IssuerHost is where the token issuer listens; empty: localhost. One that other machines reach needs ExposeIssuer, too: the
	// issuer takes passwords that anybody can read in the realm file.
	IssuerHost   string
	ExposeIssuer bool
	// Closed leaves nothing open that can be closed: a token is asked for in the registry, too, and there is no gRPC reflection.
	Closed bool
	// EventStore and ProspectStore are settings of the services' stores, such as mysql://…; empty: SQLite below Data.
	EventStore, ProspectStore string
	// Kafka is the Kafka that messages go through. Its zero value: one is embedded, which keeps them below Data.
	Kafka Kafka
	// TLS is a folder of certificates, as `dev tls` makes it: then the processes speak TLS, and know each other by certificate.
	// Empty: plaintext.
	TLS string
	// Log receives the logs of all processes.
	Log io.Writer
	// LogLevel is the least level that is logged.
	LogLevel slog.Level
	// Spans receive every span of every process.
	Spans []sdktrace.SpanProcessor
}

// Kafka says where messages go. Systems that share brokers need topics and groups of their own.
type Kafka struct {
	// Brokers are the hosts and ports to begin with. Empty: the embedded Kafka.
	Brokers []string
	// Topic and Group replace the names that a system uses when it is alone; empty: those names.
	Topic, Group string
}

// Endpoints are the addresses at which the running system is reached.
type Endpoints struct {
	// Gateway and Issuer are URLs; Issuer is that of the realm.
	Gateway, Issuer string
	// Event, Prospect, Registry and Kafka are hosts and ports; of Kafka there may be several, split by commas.
	Event, Prospect, Registry, Kafka string
	// The admin ports, with /livez and /readyz.
	EventAdmin, ProspectAdmin, RegistryAdmin, GatewayAdmin string
}

// System is the running system.
type System struct {
	Endpoints
	// Data is the folder that holds all state.
	Data string

	cfg    Config
	ports  *listeners
	tokens *issuer.Issuer // nil if Config.Issuer is set
	stops  []func() error
	failed chan error
}

// errForeignIssuer says that the keys of tokens are somebody else's.
var errForeignIssuer = errors.New("the token issuer isn't part of this system: its keys are its own")

// Start starts everything and returns when it serves. An error is one line that names what is wrong; nothing is left running then.
func Start(ctx context.Context, cfg Config) (*System, error) {
	s := &System{cfg: cfg, failed: make(chan error, 1)}
	if err := s.start(ctx); err != nil {
		// What went wrong at first is what helps; that stopping failed after it doesn't.
		_ = s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *System) start(ctx context.Context) error {
	realm, err := s.realm()
	if err != nil {
		return err
	}
	if err := s.openData(); err != nil {
		return err
	}
	if s.ports, err = listen(s.cfg); err != nil {
		return err
	}
	s.onStop(s.ports.close)
	if err := s.startKafka(); err != nil {
		return err
	}
	if s.Issuer = s.cfg.Issuer; s.Issuer == "" {
		if err := s.startIssuer(realm); err != nil {
			return err
		}
	}
	return s.startProcesses(ctx)
}

// realm reads the realm file, if it is needed.
func (s *System) realm() (issuer.Realm, error) {
	if s.cfg.Issuer != "" {
		return issuer.Realm{}, nil
	}
	return issuer.ParseRealm(s.cfg.Realm)
}

// onStop adds what must be done at the end, before all that was added earlier.
func (s *System) onStop(stop func() error) { s.stops = append(s.stops, stop) }

// Failed gives the error of a process that ended by itself.
func (s *System) Failed() <-chan error { return s.failed }

// RotateTokenKey makes the development issuer sign with a new key; the tokens of the ones before stay good.
func (s *System) RotateTokenKey() error {
	if s.tokens == nil {
		return errForeignIssuer
	}
	return s.tokens.RotateKey()
}

// RetireTokenKeys ends the tokens of all keys of the development issuer but the one that signs.
func (s *System) RetireTokenKeys() error {
	if s.tokens == nil {
		return errForeignIssuer
	}
	return s.tokens.RetireKeys()
}

// Stop stops everything in reverse order, gracefully, within seconds.
func (s *System) Stop() error {
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop())
	}
	s.stops = nil
	return errors.Join(errs...)
}

// folder makes a part's folder below the data folder.
func (s *System) folder(name string) (string, error) {
	path := filepath.Join(s.Data, name)
	return path, os.MkdirAll(path, 0o700)
}
