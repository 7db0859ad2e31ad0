// Package mesh is what every process is made of: its configuration, its listeners, its log and traces, its place
// in the registry, and one lifecycle from start to graceful stop. It knows the contracts, and no service.
package mesh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// grace is what is left to each part when the time for a graceful stop is over.
const grace = time.Second

// App is one process while it is put together and while it runs. What is started is stopped in reverse order.
type App struct {
	// Name is the service's name: "event".
	Name string
	// Log is the process's log.
	Log *slog.Logger
	// Traces makes spans and carries their context.
	Traces *telemetry.Traces
	// Metrics makes instruments; the admin port tells what they measured.
	Metrics *telemetry.Metrics
	// Verifier checks the tokens of callers.
	Verifier *auth.Verifier
	// Account is what this process calls others as: Connect(service, rpc.WithAccount(app.Account)).
	Account *auth.Account

	config   Config
	listener net.Listener
	server   *mtls.Server // nil: plaintext is served
	client   *mtls.Client // nil: others are called in plaintext
	registry registryv1.RegistryServiceClient
	ready    readiness
	stops    []func(context.Context) error
	joined   <-chan struct{} // nil if this process does not join
	failed   chan error
}

// OnStop adds what must be done when the process stops, before all that was added earlier. The context ends
// when it has to be blunt.
func (a *App) OnStop(stop func(context.Context) error) { a.stops = append(a.stops, stop) }

// OnClose is OnStop for a Close method.
func (a *App) OnClose(closer func() error) {
	a.OnStop(func(context.Context) error { return closer() })
}

// Go runs an actor until the process stops. An actor that ends before that, with or without an error, stops the process.
func (a *App) Go(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := run(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		a.fail(fmt.Errorf("%s: %w", name, err))
	}()
	a.OnStop(func(stopping context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-stopping.Done():
		}
		select {
		case <-done:
			return nil
		case <-time.After(grace):
			return fmt.Errorf("%s: did not stop in time", name)
		}
	})
}

// fail makes the process stop with this error; only the first one counts.
func (a *App) fail(err error) {
	select {
	case a.failed <- err:
	default:
	}
}

// Ready adds a condition to readiness: /readyz names it and says 503 as long as the check fails.
func (a *App) Ready(name string, check func(context.Context) error) { a.ready.add(name, check) }

// Connect makes a connection to a service of the mesh, found through the registry. Options may add credentials.
func (a *App) Connect(service string, options ...grpc.DialOption) (*grpc.ClientConn, error) {
	if a.registry == nil {
		return nil, fmt.Errorf("connect to %s: no registry is configured", service)
	}
	options = append(a.dialOptions(grpc.WithResolvers(discovery.NewResolver(a.registry, a.Log))), options...)
	conn, err := rpc.NewClient(discovery.Target(service), a.Traces, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", service, err)
	}
	a.OnClose(conn.Close)
	return conn, nil
}

// ConnectRegistry makes a connection to the registries, by their addresses. With TLS, the certificate of each must be for the
// name "registry", as that of a service found through it must be for the service's. Options may add credentials.
func (a *App) ConnectRegistry(options ...grpc.DialOption) (*grpc.ClientConn, error) {
	target, found, err := discovery.Registries(a.config.Registry)
	if err != nil {
		return nil, fmt.Errorf("connect to the registry: %w", err)
	}
	conn, err := rpc.NewClient(target, a.Traces, append(a.dialOptions(found), options...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to the registry: %w", err)
	}
	a.OnClose(conn.Close)
	return conn, nil
}

// dialOptions are those of every connection to another process of the mesh.
func (a *App) dialOptions(more ...grpc.DialOption) []grpc.DialOption {
	options := append([]grpc.DialOption{rpc.WithCalls(a.config.Calls)}, more...)
	if a.client != nil {
		options = append(options, a.client.DialOption())
	}
	return options
}

// followRegistry makes this process's own connection to the registry, by which it finds all others.
func (a *App) followRegistry() error {
	if a.config.Registry == "" {
		return nil
	}
	conn, err := a.ConnectRegistry(rpc.WithAccount(a.Account))
	if err != nil {
		return err
	}
	a.registry = registryv1.NewRegistryServiceClient(conn)
	return nil
}

// unwind stops all that was started, latest first, and goes on whatever fails.
func (a *App) unwind() error {
	ctx, cancel := context.WithTimeout(context.Background(), a.config.Stop)
	defer cancel()
	var errs []error
	for _, stop := range slices.Backward(a.stops) {
		errs = append(errs, stop(ctx))
	}
	return errors.Join(errs...)
}
