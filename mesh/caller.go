package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// CallerConfig is what a program is told that calls services of the mesh and serves nothing, as a tool for operators does. Its
// settings are called as those of a process.
type CallerConfig struct {
	// Registry is the host and port of each registry, split by commas.
	Registry string `koanf:"registry"`
	// TLS is how services are spoken to; by default in plaintext.
	TLS CallerTLS `koanf:"tls"`
	// Calls is how they are called.
	Calls rpc.Calls `koanf:"calls"`
	// Auth is the service account that calls.
	Auth CallerAuth `koanf:"auth"`
	// Token calls instead of the account, if it is set: an access token, without "Bearer".
	Token conf.Secret `koanf:"token"`
}

// CallerTLS holds the one side of TLS that a caller has.
type CallerTLS struct {
	Client mtls.ClientConfig `koanf:"client"`
}

// CallerAuth is the part of auth.Config that a caller needs.
type CallerAuth struct {
	Issuer       string      `koanf:"issuer"`
	TokenURL     string      `koanf:"token_url"`
	ClientID     string      `koanf:"client_id"`
	ClientSecret conf.Secret `koanf:"client_secret"`
}

// CallerDefaults work on a laptop, for a caller that acts as this OAuth client.
func CallerDefaults(client string) CallerConfig {
	common := Defaults("", "", client)
	return CallerConfig{
		Registry: common.Registry, Calls: common.Calls,
		Auth: CallerAuth{Issuer: common.Auth.Issuer, ClientID: common.Auth.ClientID},
	}
}

// Validate names every setting that can't work.
func (c CallerConfig) Validate() error {
	errs := []error{
		areRegistriesIfSet("registry", c.Registry),
		Under("tls.client.", c.TLS.Client.Validate()),
		Under("calls.", c.Calls.Validate()),
	}
	if c.Registry == "" {
		errs = append(errs, errors.New("registry: must not be empty"))
	}
	if c.Token == "" {
		errs = append(errs, Under("auth.", c.auth().Validate()))
	}
	return errors.Join(errs...)
}

func (c CallerConfig) auth() auth.Config {
	all := auth.Default(c.Auth.ClientID)
	all.Issuer, all.TokenURL, all.ClientSecret = c.Auth.Issuer, c.Auth.TokenURL, c.Auth.ClientSecret
	return all
}

// Caller calls services, found through the registry.
type Caller struct{ app *App }

// NewCaller makes a caller. It connects when it first calls. Close it.
func NewCaller(name string, cfg CallerConfig, log *slog.Logger) (*Caller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	app := &App{
		Name: name, Log: log, failed: make(chan error, 1),
		config: Config{Registry: cfg.Registry, TLS: mtls.Config{Client: cfg.TLS.Client}, Calls: cfg.Calls, Stop: grace},
	}
	c := &Caller{app}
	var err error
	if app.Traces, err = telemetry.NewTraces(name, telemetry.Config{}); err != nil {
		return nil, err
	}
	app.Account = auth.ServiceAccount(cfg.auth())
	if cfg.Token != "" {
		app.Account = auth.FixedAccount(cfg.Token)
	}
	if err := errors.Join(app.readCertificates(), app.followRegistry()); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// SignIn gets the account's token, so that a wrong secret and an issuer that is away are told apart from services that are.
func (c *Caller) SignIn(ctx context.Context) error {
	if _, err := c.app.Account.GetRequestMetadata(ctx); err != nil {
		return fmt.Errorf("%s: check auth.issuer, auth.client_id and auth.client_secret", status.Convert(err).Message())
	}
	return nil
}

// Connect makes a connection to a service, under the caller's account. Options may say how it is called.
func (c *Caller) Connect(service string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	return c.app.Connect(service, append(options, rpc.WithAccount(c.app.Account))...)
}

// Close ends all connections.
func (c *Caller) Close() error { return c.app.unwind() }
