package mesh

import (
	"context"
	"errors"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"eventprospect/mesh/rpc"
	"eventprospect/mesh/split"
)

const (
	// showPatience bounds how long a connection to a shared port may take to show what it speaks, and maxUndecided how many
	// may be at it. Browsers open one now and then without a word.
	showPatience = 5 * time.Second
	maxUndecided = 1024
)

// ServeGRPC serves the services that register adds, with health and, if configured, reflection, and joins the registry.
// Bind calls it, or one of the other two, last.
func (a *App) ServeGRPC(register func(grpc.ServiceRegistrar)) error {
	server, status, err := a.newGRPCServer(register, nil)
	if err != nil {
		return err
	}
	a.Go("gRPC server", func(context.Context) error { return server.Serve(a.listener) })
	a.OnStop(func(ctx context.Context) error { return stopGRPC(ctx, server) })
	a.OnStop(func(context.Context) error { status.Shutdown(); return nil })
	a.join()
	return nil
}

// ServeBoth is ServeGRPC with HTTP/1.1 on the same port. HTTP/2 is for gRPC alone.
//
// An answer may go on for as long as its client takes what is sent, within a minute each. A request that accepts
// text/event-stream, as a browser's EventSource does, is for an answer without end: its context ends when the process
// begins to stop; that of others not before the time for them to finish is over. Streams of gRPC are ended by whoever
// serves them, with OnStop after this.
//
// The open methods, by full name, need no token, whatever their contract says.
func (a *App) ServeBoth(register func(grpc.ServiceRegistrar), handler http.Handler, open ...string) error {
	calls, status, err := a.newGRPCServer(register, open)
	if err != nil {
		return err
	}
	pages := newStreamingServer(handler)
	port := split.New(a.listener, split.Limits{Patience: showPatience, Undecided: maxUndecided})
	a.Go("shared port", func(context.Context) error { return port.Serve() })
	a.Go("gRPC server", func(context.Context) error { return calls.Serve(port.HTTP2()) })
	a.Go("HTTP server", func(context.Context) error { return ignoreClosed(pages.Serve(patient{port.Other()})) })
	a.OnStop(func(ctx context.Context) error {
		closing := port.Close()
		finished := make(chan error, 1)
		go func() { finished <- stopHTTP(ctx, pages) }()
		return errors.Join(closing, stopGRPC(ctx, calls), <-finished)
	})
	a.OnStop(func(context.Context) error { status.Shutdown(); return nil })
	a.join()
	return nil
}

// newGRPCServer makes a server of what register adds, with its health.
func (a *App) newGRPCServer(register func(grpc.ServiceRegistrar), open []string) (*grpc.Server, *health.Server, error) {
	server, err := rpc.NewServer(a.Verifier, a.Traces, a.Log)
	if err != nil {
		return nil, nil, err
	}
	register(server)
	status := health.NewServer()
	healthv1.RegisterHealthServer(server, status)
	if a.config.Reflection {
		reflection.Register(server)
	}
	if err := server.Seal(open...); err != nil {
		return nil, nil, err
	}
	return server.Server, status, nil
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
