package e2e_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"eventprospect/e2e/client"
	"eventprospect/e2e/command"
)

// newCertificates makes a folder of certificates as a person would.
func newCertificates(t *testing.T, executable string) string {
	t.Helper()
	folder := t.TempDir()
	renew(t, executable, folder)
	return folder
}

func renew(t *testing.T, executable, folder string) {
	t.Helper()
	if code, stderr := command.Run(t, executable, t.TempDir(), "tls", folder); code != 0 {
		t.Fatalf("dev tls: %s", stderr)
	}
}

// trusting trusts the authority of a folder, and shows the certificate of this name; "" shows none.
func trusting(t *testing.T, folder, name string) *tls.Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool()}
	cfg.RootCAs.AppendCertsFromPEM(text)
	if name == "" {
		return cfg
	}
	cert, err := tls.LoadX509KeyPair(filepath.Join(folder, name+".crt"), filepath.Join(folder, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	cfg.Certificates = []tls.Certificate{cert}
	return cfg
}

// TestTheMainPathByTLS: every process speaks TLS with every other, and a prospect becomes an event all the same. While
// certificates are renewed nothing fails, and nobody is let in who hasn't one.
func TestTheMainPathByTLS(t *testing.T) {
	t.Parallel()
	executable := command.Build(t)
	folder := newCertificates(t, executable)
	p := command.StartSecure(t, trusting(t, folder, "client"), executable, "-free", "-data", t.TempDir(), "-tls", folder)
	if !strings.HasPrefix(p.Gateway, "https://") {
		t.Fatalf("the gateway is at %s", p.Gateway)
	}
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	var ids []string
	add := func() {
		id, err := create(ctx, p)
		if err != nil {
			t.Fatalf("%v: %s", err, p.Stderr())
		}
		ids = append(ids, id)
	}
	add()
	before := gatewaySerial(t, p, folder)
	renew(t, executable, folder)
	for gatewaySerial(t, p, folder) == before {
		add()
	}
	add()
	mustHaveOneEventEach(t, p, client.Patience, ids)
	t.Logf("%d prospects while certificates were renewed", len(ids))
	mustLetInOnly(t, p, folder)
}

// gatewaySerial is the serial number of the certificate that the gateway shows a new client.
func gatewaySerial(t *testing.T, p *command.Process, folder string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.Gateway, "https://"), trusting(t, folder, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// mustLetInOnly tries every port with a certificate, without, and in plaintext.
func mustLetInOnly(t *testing.T, p *command.Process, folder string) {
	t.Helper()
	with, without := trusting(t, folder, "client"), trusting(t, folder, "")
	for name, address := range map[string]string{"event": p.Event, "prospect": p.Prospect, "registry": p.Registry} {
		for how, c := range map[string]struct {
			creds credentials.TransportCredentials
			ok    bool
		}{
			"with a certificate":    {credentials.NewTLS(with), true},
			"without a certificate": {credentials.NewTLS(without), false},
			"in plaintext":          {insecure.NewCredentials(), false},
		} {
			conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(c.creds))
			if err != nil {
				t.Fatal(err)
			}
			_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
			if (err == nil) != c.ok {
				t.Errorf("%s %s: error %v", name, how, err)
			}
			_ = conn.Close()
		}
	}
	resp, err := http.Get("http://" + strings.TrimPrefix(p.Gateway, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("the gateway in plaintext: %s", resp.Status)
	}
}
