package xds_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/internal/registry"
)

// envoyVariable names Envoy's executable.
const envoyVariable = "EVENTPROSPECT_TEST_ENVOY"

// Envoy is set up as docs/xds.md says, and with the other protocol.
func TestEnvoyGoesByWhatItIsTold(t *testing.T) {
	t.Parallel()
	executable := os.Getenv(envoyVariable)
	if executable == "" {
		if os.Getenv(meshtest.NoSkip) != "" {
			t.Fatal(envoyVariable + " is not set")
		}
		t.Skip(envoyVariable + " is not set: it names Envoy's executable")
	}
	for _, protocol := range []string{"DELTA_GRPC", "GRPC"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			throughEnvoy(t, executable, protocol)
		})
	}
}

func throughEnvoy(t *testing.T, executable, protocol string) {
	s := defaults()
	s.Policy.ZonePriority = true
	p := start(t, s)
	heavy, light, abroad, bad := newBackend(t), newBackend(t), newBackend(t), newBackend(t, answering(codes.Unavailable))
	front := runEnvoy(t, executable, documented(t, protocol, p.address))
	strong := heavy.as("heavy")
	strong.Zone, strong.Weight = "z1", 3
	first := p.join(strong)
	p.join(instance("prospect", "other", bad.address))
	until(t, "a call comes through", func() bool { return call(front) == nil })
	far := abroad.as("abroad")
	far.Zone = "z2"
	p.join(far)
	weak := light.as("light")
	weak.Zone = "z1"
	second := p.join(weak)
	until(t, "the second one is called", func() bool { _ = call(front); return light.calls.Load() > 0 })

	heavy.calls.Store(0)
	light.calls.Store(0)
	abroad.calls.Store(0)
	for range 400 {
		if err := call(front); err != nil {
			t.Fatal(err)
		}
	}
	if n := heavy.calls.Load(); n < 270 || n > 330 || abroad.calls.Load() != 0 {
		t.Errorf("of 400 calls the heavy one got %d, one abroad %d; want 300 and none", n, abroad.calls.Load())
	}
	failing := bad.as("bad")
	failing.Zone = "z1"
	third := p.join(failing)
	until(t, "the bad one is called", func() bool { _ = call(front); return bad.calls.Load() > 0 })
	for range 40 {
		if err := call(front); err != nil {
			t.Error("a call was not tried again: ", err)
		}
	}
	for _, gone := range []*registry.Session{first, second, third} {
		gone.Close()
	}
	until(t, "it goes abroad", func() bool { _ = call(front); return abroad.calls.Load() > 0 })
	if strings.Contains(p.log.String(), "refused") {
		t.Errorf("Envoy refused something: %s", p.log)
	}
}

// call makes one call through Envoy.
func call(front healthv1.HealthClient) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := front.Check(ctx, &healthv1.HealthCheckRequest{})
	return err
}

// documented gives the settings of docs/xds.md, for this protocol and registry.
func documented(t *testing.T, protocol, registry string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.FromSlash("../../../../docs/xds.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```yaml\nnode:")
	text, _, found := strings.Cut(text, "```")
	_, port, err := net.SplitHostPort(registry)
	if err != nil || !found {
		t.Fatalf("no settings on the page, or no port in %s", registry)
	}
	return "node:" + strings.NewReplacer("DELTA_GRPC", protocol, "10000", "0", "8761", port).Replace(text) +
		"admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n"
}

// runEnvoy runs Envoy for the time of the test, and gives a client of its front.
func runEnvoy(t *testing.T, executable, settings string) healthv1.HealthClient {
	t.Helper()
	folder := t.TempDir()
	file, admin := filepath.Join(folder, "envoy.yaml"), filepath.Join(folder, "admin")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(executable, "--config-path", file, "--admin-address-path", admin,
		"--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
	command.Stdout, command.Stderr = t.Output(), t.Output()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	var address string
	until(t, "Envoy listens", func() bool { address = frontOf(admin); return address != "" })
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return healthv1.NewHealthClient(conn)
}

// frontOf asks Envoy where it listens; empty as long as it doesn't.
func frontOf(adminFile string) string {
	admin, err := os.ReadFile(adminFile)
	if err != nil {
		return ""
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + string(admin) + "/listeners?format=json")
	if err != nil {
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	var found struct {
		Listeners []struct {
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if json.NewDecoder(answer.Body).Decode(&found) != nil || len(found.Listeners) == 0 {
		return ""
	}
	socket := found.Listeners[0].Local.Socket
	return net.JoinHostPort(socket.Address, strconv.Itoa(socket.Port))
}
