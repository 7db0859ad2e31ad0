package mesh_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

// load calls a process without a pause: on one connection that stays, and on one that is made for each call.
type load struct {
	address      string
	creds        credentials.TransportCredentials
	calls, fails atomic.Int64
	failed       atomic.Value // an error
}

// start calls until the function that it returns is called, which waits for the last call.
func (l *load) start(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	lasting := l.dial(t)
	var calling sync.WaitGroup
	for range 4 {
		calling.Go(func() {
			for ctx.Err() == nil {
				l.call(lasting)
			}
		})
		calling.Go(func() {
			for ctx.Err() == nil {
				conn := l.dial(t)
				l.call(conn)
				_ = conn.Close()
			}
		})
	}
	return func() { cancel(); calling.Wait(); _ = lasting.Close() }
}

func (l *load) dial(t *testing.T) *grpc.ClientConn {
	conn, err := grpc.NewClient("passthrough:///"+l.address, grpc.WithTransportCredentials(l.creds), grpc.WithAuthority("event"),
		grpc.WithDisableRetry())
	if err != nil {
		t.Error(err)
	}
	return conn
}

func (l *load) call(conn *grpc.ClientConn) {
	_, err := healthv1.NewHealthClient(conn).Check(context.Background(), &healthv1.HealthCheckRequest{})
	l.calls.Add(1)
	if err != nil {
		l.fails.Add(1)
		l.failed.Store(err)
	}
}

// shown is the certificate that a new connection is shown.
func shown(t *testing.T, address string, files meshtest.Files) *x509.Certificate {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", address, &tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}, InsecureSkipVerify: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0]
}

// Certificates, and then the authority, are replaced while calls go on; none fails, and the old ones are good for nothing in the end.
func TestCertificatesAreReplacedUnderLoad(t *testing.T) {
	t.Parallel()
	old, next := meshtest.NewAuthority(t), meshtest.NewAuthority(t)
	servers, clients, log := old.Files("event"), old.Files("prospect"), &lines{}
	cfg := secured(t, servers)
	cfg.TLS.Client = mtls.ClientConfig{} // calls nobody
	process := meshtest.Run(t, "event", cfg, serveNothing, mesh.WithLog(log))
	client, err := mtls.NewClient(clients.Client(), tls.VersionTLS13, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	l := &load{address: process.Address, creds: client.Credentials()}
	stop := l.start(t)
	// Each change is known to both sides before the next, as it is where there are days between them.
	changes := 0
	change := func(server, client func()) {
		server()
		client()
		changes += 2
		eventually(t, "both have read their files", func() bool {
			return strings.Count(log.String(), "read anew") >= changes
		})
	}
	for range 2 {
		before := shown(t, process.Address, clients)
		change(
			func() { servers.Renew(old, authority.Leaf{Names: []string{"event"}}) },
			func() { clients.Renew(old, authority.Leaf{Names: []string{"prospect"}}) })
		if shown(t, process.Address, clients).Equal(before) {
			t.Error("an old certificate is shown")
		}
	}
	change(func() { servers.Trust(old, next) }, func() { clients.Trust(old, next) })
	change(
		func() { servers.Renew(next, authority.Leaf{Names: []string{"event"}}) },
		func() { clients.Renew(next, authority.Leaf{Names: []string{"prospect"}}) })
	change(func() { servers.Trust(next) }, func() { clients.Trust(next) })
	stop()
	if n := l.fails.Load(); n > 0 || l.calls.Load() == 0 {
		t.Errorf("%d of %d calls failed: %v", n, l.calls.Load(), l.failed.Load())
	}
	t.Logf("%d calls, %d failed", l.calls.Load(), l.fails.Load())
	if check(t, process.Address, "event", clientOf(t, func() mtls.ClientConfig {
		f := old.Files("prospect")
		f.Trust(next)
		return f.Client()
	}()).Credentials()) == nil {
		t.Error("a certificate of the old authority is accepted")
	}
}
