package meshtest

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"eventprospect/mesh"
	"eventprospect/mesh/meshtest/ports"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// Patience bounds every wait of a test for something that must happen.
const Patience = 20 * time.Second

// Process is a running process.
type Process struct {
	// Address is that of its main listener, Admin that of its admin listener.
	Address, Admin string
	// Stop stops it and gives the error with which it ended; a second call gives the same.
	Stop func() error
}

// Run runs a process on free ports for the time of the test, and returns when it serves and has joined the registry, if it
// has to. The test fails if the process ends with an error.
func Run[C mesh.Configuration](t testing.TB, name string, cfg C, bind mesh.Bind[C], opts ...mesh.Option) *Process {
	t.Helper()
	main, admin := Listen(t), Listen(t)
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan struct{}), make(chan struct{})
	var err error
	opts = append([]mesh.Option{mesh.WithLog(t.Output()), mesh.WithListeners(main, admin), mesh.WithStarted(func() { close(started) })}, opts...)
	go func() {
		defer close(ended)
		err = mesh.Run(ctx, name, cfg, bind, opts...)
	}()
	p := &Process{Address: main.Addr().String(), Admin: admin.Addr().String(), Stop: func() error { cancel(); <-ended; return err }}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("%s ended with: %v", name, err)
		}
	})
	select {
	case <-started:
	case <-ended:
		t.Fatalf("%s ended at start: %v", name, err)
	case <-time.After(Patience):
		t.Fatalf("%s did not start in %v", name, Patience)
	}
	return p
}

// Listen opens a free port of this machine.
func Listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// FreeAddress finds a host and port of loopback for a process that the test starts.
func FreeAddress(t testing.TB) string {
	t.Helper()
	address, err := ports.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Config gives the common settings for tests: this issuer, this registry (its address; empty: none).
func Config(issuer *Issuer, registry, client string) mesh.Config {
	cfg := mesh.Defaults("0", "0", client)
	cfg.Registry, cfg.Auth, cfg.Drain = registry, issuer.Config(client), time.Millisecond
	return cfg
}

// Dial makes a client connection to an address, with the project's client chain.
func Dial(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := rpc.NewClient("passthrough:///"+address, traces)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// As gives the context of a call with this token, which ends with the test or when patience does.
func As(t testing.TB, token string) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// Background gives a context for work that must be done even when the test is over; it ends when patience does.
func Background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), Patience)
	t.Cleanup(cancel)
	return ctx
}
