package mesh_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls/authority"
)

// bare are the credentials of a client that knows nothing of our rules.
func bare(ca *meshtest.Authority, change func(*tls.Config), certs ...tls.Certificate) credentials.TransportCredentials {
	cfg := &tls.Config{RootCAs: ca.Pool(), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if len(certs) == 0 {
			return &tls.Certificate{}, nil
		}
		return &certs[0], nil
	}}
	change(cfg)
	return credentials.NewTLS(cfg)
}

// Each is refused by the server, whose log says why. The client knows that it was: in TLS 1.3 it has begun to write by the time the
// reason comes, and may see no more than a broken connection.
func TestClientsThatAreRefused(t *testing.T) {
	t.Parallel()
	ca, other := meshtest.NewAuthority(t), meshtest.NewAuthority(t)
	as := func(*tls.Config) {}
	good := ca.Certificate(authority.Leaf{Names: []string{"prospect"}})
	for name, c := range map[string]struct {
		creds credentials.TransportCredentials
		want  string
	}{
		"no certificate":             {bare(ca, as), "client didn't provide a certificate"},
		"a certificate of another":   {bare(ca, as, other.Certificate(authority.Leaf{Names: []string{"prospect"}})), "signed by unknown authority"},
		"a certificate that is over": {bare(ca, as, ca.Certificate(authority.Leaf{Names: []string{"prospect"}, Until: time.Now().Add(-time.Minute)})), "certificate has expired"},
		"TLS 1.2":                    {bare(ca, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, good), "unsupported versions"},
		"plaintext":                  {insecureCredentials(), "first record does not look like a TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &lines{}
			process := meshtest.Run(t, "event", secured(t, ca.Files("event")), serveNothing, mesh.WithLog(log))
			err := check(t, process.Address, "event", c.creds)
			if status.Code(err) != codes.Unavailable {
				t.Errorf("the client says %v, want Unavailable", err)
			}
			eventually(t, "the server says "+c.want, func() bool { return strings.Contains(log.String(), c.want) })
			if !strings.Contains(log.String(), `"from":"127.0.0.1:`) {
				t.Errorf("the log doesn't tell who it was: %s", log)
			}
		})
	}
}

// Each is refused by the client. To a server whom it doesn't trust it sends no call, and so no token.
func TestServersThatAreRefused(t *testing.T) {
	t.Parallel()
	ca, other := meshtest.NewAuthority(t), meshtest.NewAuthority(t)
	creds := clientOf(t, ca.Files("prospect").Client()).Credentials()
	over := authority.Leaf{Names: []string{"event"}, Until: time.Now().Add(-time.Minute)}
	for name, c := range map[string]struct {
		server *tls.Config
		want   string
	}{
		"another service":            {&tls.Config{Certificates: []tls.Certificate{ca.Certificate(authority.Leaf{Names: []string{"prospect", "127.0.0.1"}})}}, "certificate is valid for prospect, not event"},
		"a certificate of another":   {&tls.Config{Certificates: []tls.Certificate{other.Certificate(authority.Leaf{Names: []string{"event"}})}}, "signed by unknown authority"},
		"a certificate that is over": {&tls.Config{Certificates: []tls.Certificate{ca.Certificate(over)}}, "certificate has expired"},
		"TLS 1.2":                    {&tls.Config{Certificates: []tls.Certificate{ca.Certificate(authority.Leaf{Names: []string{"event"}})}, MaxVersion: tls.VersionTLS12}, "protocol version not supported"},
		"plaintext":                  {nil, "first record does not look like a TLS handshake"},
	} {
		listener := meshtest.Listen(t)
		server := grpc.NewServer()
		if c.server != nil {
			server = grpc.NewServer(grpc.Creds(credentials.NewTLS(c.server)))
		}
		healthv1.RegisterHealthServer(server, healthv1.UnimplementedHealthServer{})
		go func() { _ = server.Serve(listener) }()
		err := check(t, listener.Addr().String(), "event", creds)
		if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		server.Stop()
	}
}

// A session that is taken up again skips the client's certificate: where one is asked for, none may be.
func TestASessionIsTakenUpOnlyWhereNoCertificateIsAskedFor(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	cfg := secured(t, ca.Files("event"))
	for name, resumed := range map[string]bool{cfg.TLS.Server.ClientCAFile: false, "": true} {
		cfg.TLS.Server.ClientCAFile = name
		process := meshtest.Run(t, "event", cfg, serveNothing)
		client := &tls.Config{
			RootCAs: ca.Pool(), ServerName: "event", NextProtos: []string{"h2"}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
			Certificates: []tls.Certificate{ca.Certificate(authority.Leaf{Names: []string{"prospect"}})},
		}
		again := false
		for range 2 {
			conn, err := tls.Dial("tcp", process.Address, client)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.Read(make([]byte, 1)) // tickets come with the first bytes
			again = conn.ConnectionState().DidResume
			_ = conn.Close()
		}
		if again != resumed {
			t.Errorf("client_ca_file %q: taken up again: %v", name, again)
		}
	}
}
