package mesh

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"eventprospect/mesh/mtls"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/split"
)

// ServeGRPC serves the services that register adds, with health and, if configured, reflection, and joins the registry.
// Bind calls it, or one of the other two, last.
func (a *App) ServeGRPC(register func(grpc.ServiceRegistrar)) error {
	server, status, err := a.newGRPCServer(register, nil)
	if err != nil {
		return err
	}
	calls, shut := a.listener, doNothing
	if a.server != nil {
		port := a.secure(a.listener, a.server.GRPC())
		calls, shut = port.HTTP2(), port.Close
		_ = port.Other().Close() // who doesn't agree on HTTP/2 has nothing to say here
	}
	a.Go("gRPC server", func(context.Context) error { return server.Serve(calls) })
	a.OnStop(func(ctx context.Context) error {
		closing := shut()
		stopGRPC(ctx, server)
		return closing
	})
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
	port, forPages := a.share()
	a.Go("gRPC server", func(context.Context) error { return calls.Serve(port.HTTP2()) })
	a.Go("HTTP server", func(context.Context) error { return ignoreClosed(pages.Serve(forPages)) })
	a.OnStop(func(ctx context.Context) error {
		closing := port.Close()
		finished := make(chan error, 1)
		go func() { finished <- stopHTTP(ctx, pages) }()
		stopGRPC(ctx, calls)
		return errors.Join(closing, <-finished)
	})
	a.OnStop(func(context.Context) error { status.Shutdown(); return nil })
	a.join()
	return nil
}

// share splits the main listener for two servers, and gives the listener of HTTP/1.1.
func (a *App) share() (port *split.Splitter, forPages net.Listener) {
	if a.server != nil {
		// What is beneath TLS is patient, so that net/http sees the TLS.
		port = a.secure(patient{a.listener}, a.server.Shared())
		return port, port.Other()
	}
	port = split.New(a.listener, limits())
	a.Go("shared port", func(context.Context) error { return port.Serve() })
	return port, patient{port.Other()}
}

// newGRPCServer makes a server of what register adds, with its health.
func (a *App) newGRPCServer(register func(grpc.ServiceRegistrar), open []string) (*grpc.Server, *health.Server, error) {
	var options []grpc.ServerOption
	if a.server != nil {
		options = append(options, grpc.Creds(mtls.Established()))
	}
	server, err := rpc.NewServer(a.Verifier, a.Traces, a.Log, options...)
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
func stopGRPC(ctx context.Context, server *grpc.Server) {
	done := make(chan struct{})
	go func() { server.GracefulStop(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		server.Stop()
		<-done
	}
}

// ServeHTTP serves HTTP/1.1, and HTTP/2: as client and server agree on by TLS, or without TLS by prior knowledge.
func (a *App) ServeHTTP(handler http.Handler) {
	var secure *tls.Config
	if a.server != nil {
		secure = a.server.HTTP()
	}
	a.serveHTTP("HTTP server", newHTTPServer(handler), a.listener, secure)
}

// serveHTTP serves until the process stops; without a TLS configuration, plaintext.
func (a *App) serveHTTP(name string, server *http.Server, listener net.Listener, secure *tls.Config) {
	listeners, shut := []net.Listener{listener}, doNothing
	if secure != nil {
		port := a.secure(listener, secure)
		listeners, shut = []net.Listener{port.HTTP2(), port.Other()}, port.Close
	}
	for _, l := range listeners {
		a.Go(name, func(context.Context) error { return ignoreClosed(server.Serve(l)) })
	}
	a.OnStop(func(ctx context.Context) error { return errors.Join(shut(), stopHTTP(ctx, server)) })
}

// doNothing is for a server that closes its listener itself.
func doNothing() error { return nil }

func newHTTPServer(handler http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
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
