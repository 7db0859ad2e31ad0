package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/telemetry"
)

// Bind puts a process together: it opens what the process needs, wires it top to bottom, and says what to serve.
type Bind[C Configuration] func(ctx context.Context, app *App, cfg C) error

// options are what Run may be given besides a configuration.
type options struct {
	out        io.Writer
	main       net.Listener
	admin      net.Listener
	processors []sdktrace.SpanProcessor
	started    func()
}

// Option changes how a process is run.
type Option func(*options)

// WithLog sends the log there instead of to standard error.
func WithLog(out io.Writer) Option { return func(o *options) { o.out = out } }

// WithListeners uses listeners that are open already, instead of opening those that the configuration names.
func WithListeners(main, admin net.Listener) Option {
	return func(o *options) { o.main, o.admin = main, admin }
}

// WithSpans hands every span to these processors, too.
func WithSpans(processors ...sdktrace.SpanProcessor) Option {
	return func(o *options) { o.processors = append(o.processors, processors...) }
}

// WithStarted calls back when the process serves and, if it has to, has joined the registry.
func WithStarted(started func()) Option { return func(o *options) { o.started = started } }

// Run runs one process until the context ends, and stops it gracefully: it leaves the registry, says it isn't serving
// any more, finishes the calls under way, ends its actors, and closes what it opened, in reverse order.
func Run[C Configuration](ctx context.Context, name string, cfg C, bind Bind[C], opts ...Option) error {
	o := options{out: os.Stderr, started: func() {}}
	for _, option := range opts {
		option(&o)
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	app, err := prepare(name, cfg.Common(), o)
	if err != nil {
		return err
	}
	err = bind(ctx, app, cfg)
	if err != nil && ctx.Err() != nil {
		err = nil // it was told to stop while it was waiting for something
	} else if err == nil {
		app.awaitJoin(ctx, o.started)
		app.Log.Info("serving", "address", app.listener.Addr().String())
		err = app.wait(ctx)
	}
	app.Log.Info("stopping")
	return errors.Join(err, app.unwind())
}

// prepare makes all that Bind may use. What it opens is closed if it fails.
func prepare(name string, cfg Config, o options) (*App, error) {
	app := &App{
		Name: name, Log: telemetry.NewLog(o.out, name, cfg.LogLevel),
		config: cfg, failed: make(chan error, 1),
	}
	if err := app.open(o); err != nil {
		return nil, errors.Join(err, app.unwind())
	}
	return app, nil
}

func (a *App) open(o options) (err error) {
	if a.Traces, err = telemetry.NewTraces(a.Name, a.config.Telemetry, o.processors...); err != nil {
		return err
	}
	a.OnStop(a.stopTraces)
	if a.Metrics, err = telemetry.NewMetrics(a.Name); err != nil {
		return err
	}
	a.OnStop(a.Metrics.Stop)
	if err := a.readCertificates(); err != nil {
		return err
	}
	admin, err := a.listen(o.admin, a.config.Admin)
	if err != nil {
		return err
	}
	if a.listener, err = a.listen(o.main, a.config.Listen); err != nil {
		return err
	}
	a.serveAdmin(admin)
	ctx, cancel := context.WithCancel(context.Background())
	a.OnStop(func(context.Context) error { cancel(); return nil })
	if a.Verifier, err = auth.NewVerifier(ctx, a.config.Auth, a.Log); err != nil {
		return err
	}
	a.Ready("issuer keys", a.keysRead)
	a.Account = auth.ServiceAccount(a.config.Auth)
	return a.followRegistry()
}

// keysRead tells whether tokens can be verified. As long as they can't, the process runs and every token gets Unavailable.
func (a *App) keysRead(ctx context.Context) error {
	if !a.Verifier.Ready(ctx) {
		return errors.New("no key of the issuer was read yet")
	}
	return nil
}

// stopTraces sends the last spans. It is no failure of the process if nobody takes them.
func (a *App) stopTraces(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := a.Traces.Stop(ctx); err != nil {
		a.Log.Warn("last spans not sent", "error", err)
	}
	return nil
}

// listen opens a listener, unless it is open already. Who serves on it closes it; closing it again does no harm.
func (a *App) listen(open net.Listener, address string) (net.Listener, error) {
	if open == nil {
		var err error
		if open, err = net.Listen("tcp", address); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", address, err)
		}
	}
	a.OnStop(func(context.Context) error { _ = open.Close(); return nil })
	return open, nil
}

// wait returns when the context ends, or with the error of an actor that ended by itself.
func (a *App) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-a.failed:
		return err
	}
}
