package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/rpc"
)

// drainTimeout bounds how long a stopping process tries to tell the registry so.
const drainTimeout = time.Second

// ServeGRPC serves the services that register adds, with health and, if configured, reflection, and joins the registry.
// Bind calls it, or ServeHTTP, last.
func (a *App) ServeGRPC(register func(grpc.ServiceRegistrar)) error {
	server, err := rpc.NewServer(a.Verifier, a.Traces, a.Log)
	if err != nil {
		return err
	}
	register(server)
	status := health.NewServer()
	healthv1.RegisterHealthServer(server, status)
	if a.config.Reflection {
		reflection.Register(server)
	}
	if err := server.Seal(); err != nil {
		return err
	}
	a.Go("gRPC server", func(context.Context) error { return server.Serve(a.listener) })
	a.OnStop(func(ctx context.Context) error { return stopGRPC(ctx, server.Server) })
	a.OnStop(func(context.Context) error { status.Shutdown(); return nil })
	if a.registry != nil {
		a.join()
	}
	return nil
}

// stopGRPC lets the calls under way finish, then cuts off what is left.
func stopGRPC(ctx context.Context, server *grpc.Server) error {
	done := make(chan struct{})
	go func() { server.GracefulStop(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		server.Stop()
		<-done
	}
	return nil
}

// ServeHTTP serves HTTP/1.1 and, without TLS, HTTP/2 by prior knowledge.
func (a *App) ServeHTTP(handler http.Handler) {
	server := newHTTPServer(handler)
	a.Go("HTTP server", func(context.Context) error { return ignoreClosed(server.Serve(a.listener)) })
	a.OnStop(func(ctx context.Context) error { return stopHTTP(ctx, server) })
}

func newHTTPServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
}

func stopHTTP(ctx context.Context, server *http.Server) error {
	if server.Shutdown(ctx) != nil {
		return server.Close()
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// join registers this instance, and takes it out first when the process stops.
func (a *App) join() {
	address := a.config.Advertise
	if address == "" {
		address = a.listener.Addr().String()
	}
	host, _ := os.Hostname()
	member := discovery.NewMember(a.registry, &registryv1.Instance{
		Service: a.Name, Id: fmt.Sprintf("%s-%s", host, portOf(address)), Address: address,
		Status: registryv1.Instance_UP, Zone: a.config.Zone,
	}, a.Log)
	a.joined = member.Joined()
	a.Go("registration", member.Run)
	a.OnStop(func(ctx context.Context) error {
		telling, cancel := context.WithTimeout(ctx, drainTimeout)
		defer cancel()
		member.Drain(telling)
		pause(ctx, a.config.Drain)
		return nil
	})
}

// awaitJoin calls back once this instance can be found. It doesn't hold up the process: the registry may come later.
func (a *App) awaitJoin(ctx context.Context, started func()) {
	if a.joined == nil {
		started()
		return
	}
	go func() {
		select {
		case <-a.joined:
			started()
		case <-ctx.Done():
		}
	}()
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return port
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
