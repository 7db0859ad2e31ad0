package mesh_test

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"eventprospect/mesh/meshtest"
)

// BenchmarkCalls compares a call in plaintext and by mTLS: on a connection that stays, and on one of its own.
func BenchmarkCalls(b *testing.B) {
	ca := meshtest.NewAuthority(b)
	cfg := meshtest.Config(meshtest.NewIssuer(b), "", "event")
	plain := meshtest.Run(b, "event", cfg, serveNothing)
	cfg.TLS = ca.Files("event").Config()
	secure := meshtest.Run(b, "event", cfg, serveNothing)
	for name, c := range map[string]struct {
		address string
		creds   credentials.TransportCredentials
	}{
		"plaintext": {plain.Address, insecureCredentials()},
		"mtls":      {secure.Address, clientOf(b, ca.Files("prospect").Client()).Credentials()},
	} {
		dial := func() *grpc.ClientConn {
			conn, err := grpc.NewClient("passthrough:///"+c.address, grpc.WithTransportCredentials(c.creds), grpc.WithAuthority("event"))
			if err != nil {
				b.Fatal(err)
			}
			return conn
		}
		call := func(b *testing.B, conn *grpc.ClientConn) {
			if _, err := healthv1.NewHealthClient(conn).Check(b.Context(), &healthv1.HealthCheckRequest{}); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name+"/same connection", func(b *testing.B) {
			conn := dial()
			defer func() { _ = conn.Close() }()
			for b.Loop() {
				call(b, conn)
			}
		})
		b.Run(name+"/new connection", func(b *testing.B) {
			for b.Loop() {
				conn := dial()
				call(b, conn)
				_ = conn.Close()
			}
		})
	}
}
