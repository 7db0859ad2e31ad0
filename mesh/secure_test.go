package mesh_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

// secured gives settings under which a process wants certificates of this authority.
func secured(t *testing.T, files meshtest.Files) mesh.Config {
	t.Helper()
	cfg := settings(t)
	cfg.TLS = files.Config()
	return cfg
}

// check asks for the health of whoever serves at this address, as the server of the name.
func check(t *testing.T, address, name string, creds credentials.TransportCredentials) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), meshtest.Patience)
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(creds), grpc.WithAuthority(name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	return err
}

func clientOf(t testing.TB, cfg mtls.ClientConfig) *mtls.Client {
	t.Helper()
	client, err := mtls.NewClient(cfg, tls.VersionTLS13, discard())
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// tellTLS answers with the versions of HTTP and TLS that it was asked in.
func tellTLS(w http.ResponseWriter, r *http.Request) {
	secure := "plaintext"
	if r.TLS != nil {
		secure = tls.VersionName(r.TLS.Version)
	}
	_, _ = fmt.Fprint(w, r.Proto, " ", secure)
}

func serveBothSecurely(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeBoth(nothing, http.HandlerFunc(tellTLS))
}

// httpsClient is a client that shows a certificate, and offers HTTP/2 and HTTP/1.1 as browsers do.
func httpsClient(t *testing.T, ca *meshtest.Authority, certs ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca.Pool(), Certificates: certs}, ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// Both prefer HTTP/2, and each lands at its own server: gRPC at grpc-go's, others at net/http's.
func TestOneSecurePortServesBoth(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	process := meshtest.Run(t, "registry", secured(t, ca.Files("registry", "127.0.0.1")), serveBothSecurely)
	files := ca.Files("prospect")
	if err := check(t, process.Address, "registry", clientOf(t, files.Client()).Credentials()); err != nil {
		t.Errorf("gRPC: %v", err)
	}
	web := httpsClient(t, ca, ca.Certificate(authority.Leaf{Names: []string{"browser"}}))
	if _, got := get(t, web, "https://"+process.Address); got != "HTTP/1.1 TLS 1.3" {
		t.Errorf("HTTP: %s", got)
	}
	old := httpsClient(t, ca, ca.Certificate(authority.Leaf{Names: []string{"no-alpn"}}))
	old.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	if _, got := get(t, old, "https://"+process.Address); got != "HTTP/1.1 TLS 1.3" {
		t.Errorf("HTTP without ALPN: %s", got)
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv(meshtest.NoSkip) != "" {
			t.Fatal(err)
		}
		t.Skip("no curl: what it gets is not shown")
	}
	out, err := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--cacert", files.CA, "--cert", files.Cert, "--key", files.Key,
		"https://"+process.Address).CombinedOutput()
	if err != nil || string(out) != "HTTP/1.1 TLS 1.3" {
		t.Errorf("curl: %s, %v", out, err)
	}
}

// A port for HTTP alone speaks either version, and asks nobody for a certificate unless it is told to.
func TestHTTPSSpeaksBothVersions(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	cfg := secured(t, ca.Files("gateway", "127.0.0.1"))
	cfg.TLS.Server.ClientCAFile, cfg.TLS.Server.MinVersion, cfg.TLS.Server.Admin = "", "1.2", true
	process := meshtest.Run(t, "gateway", cfg, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		app.ServeHTTP(http.HandlerFunc(tellTLS))
		return nil
	})
	for want, change := range map[string]func(*http.Transport){
		"HTTP/2.0 TLS 1.3": func(*http.Transport) {},
		"HTTP/1.1 TLS 1.3": func(t *http.Transport) { t.ForceAttemptHTTP2 = false },
		"HTTP/2.0 TLS 1.2": func(t *http.Transport) { t.TLSClientConfig.MaxVersion = tls.VersionTLS12 },
	} {
		client := httpsClient(t, ca)
		change(client.Transport.(*http.Transport))
		if _, got := get(t, client, "https://"+process.Address); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if code, _ := get(t, httpsClient(t, ca), "https://"+process.Admin+"/livez"); code != http.StatusOK {
		t.Errorf("admin port: %d", code)
	}
}

// A probe has no certificate, also where every client of the main port must have one.
func TestTheAdminPortAsksForNoCertificate(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	cfg := secured(t, ca.Files("event", "127.0.0.1"))
	plain := meshtest.Run(t, "event", cfg, serveNothing)
	if code, _ := get(t, oneClient(t), "http://"+plain.Admin+"/livez"); code != http.StatusOK {
		t.Errorf("in plaintext: %d", code)
	}
	cfg.TLS.Server.Admin = true
	process := meshtest.Run(t, "event", cfg, serveNothing)
	if code, _ := get(t, httpsClient(t, ca), "https://"+process.Admin+"/livez"); code != http.StatusOK {
		t.Errorf("by TLS: %d", code)
	}
}

// whoCalls answers with the name of the process that calls.
type whoCalls struct {
	eventv1.UnimplementedEventServiceServer
}

func (whoCalls) GetEvent(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
	return &eventv1.Event{Name: mtls.Peer(ctx)}, nil
}

func serveWhoCalls(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeGRPC(func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, whoCalls{}) })
}

// The certificate says which process calls. A token is needed all the same.
func TestTheCallerIsKnownByCertificateAndToken(t *testing.T) {
	t.Parallel()
	ca, issuer := meshtest.NewAuthority(t), meshtest.NewIssuer(t)
	cfg := meshtest.Config(issuer, "", "event")
	cfg.TLS = ca.Files("event").Config()
	process := meshtest.Run(t, "event", cfg, serveWhoCalls)
	for name, leaf := range map[string]authority.Leaf{
		"prospect":                     {Names: []string{"prospect", "localhost"}},
		"spiffe://eventprospect/event": {Names: []string{"prospect"}, ID: "spiffe://eventprospect/event"},
	} {
		files := ca.Files("x")
		files.Renew(ca, leaf)
		conn, err := grpc.NewClient("passthrough:///"+process.Address, grpc.WithAuthority("event"),
			grpc.WithTransportCredentials(clientOf(t, files.Client()).Credentials()))
		if err != nil {
			t.Fatal(err)
		}
		events := eventv1.NewEventServiceClient(conn)
		if answer, err := events.GetEvent(meshtest.As(t, issuer.Token("reader")), &eventv1.GetEventRequest{Id: "x"}); err != nil || answer.GetName() != name {
			t.Errorf("%s is called %v, %v", name, answer, err)
		}
		if _, err := events.GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"}); status.Code(err).String() != "Unauthenticated" {
			t.Errorf("without a token: %v", err)
		}
		_ = conn.Close()
	}
}

// Who writes http: for https: is told so.
func TestPlaintextHTTPIsAnsweredPlainly(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "registry", secured(t, meshtest.NewAuthority(t).Files("registry")), serveBothSecurely)
	if code, text := get(t, oneClient(t), "http://"+process.Address); code != http.StatusBadRequest || !strings.Contains(text, "HTTPS") {
		t.Errorf("%d %s", code, text)
	}
}

// Connections that never come to a handshake hold up nobody, and end with the process.
func TestSilentConnectionsHoldUpNobody(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	process := meshtest.Run(t, "event", secured(t, ca.Files("event")), serveNothing)
	var silent []net.Conn
	for range 20 {
		conn, err := net.Dial("tcp", process.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		silent = append(silent, conn)
	}
	if err := check(t, process.Address, "event", clientOf(t, ca.Files("prospect").Client()).Credentials()); err != nil {
		t.Error(err)
	}
	if err := process.Stop(); err != nil {
		t.Error(err)
	}
	for _, conn := range silent {
		_ = conn.SetReadDeadline(time.Now().Add(meshtest.Patience))
		if _, err := io.ReadAll(conn); os.IsTimeout(err) {
			t.Error("still open after the stop")
		}
	}
}

func TestBadFilesEndTheStart(t *testing.T) {
	t.Parallel()
	cfg := secured(t, meshtest.NewAuthority(t).Files("event"))
	cfg.TLS.Client.CAFile = "nowhere"
	err := mesh.Run(t.Context(), "event", cfg, serveNothing, mesh.WithLog(t.Output()))
	if err == nil || !strings.Contains(err.Error(), "tls.client.ca_file: ") {
		t.Errorf("error %v", err)
	}
}
