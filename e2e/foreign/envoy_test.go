package foreign_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/meshtest"
)

//go:embed envoy.yaml
var envoySettings string

// TestEnvoyFindsTheInstancesOverXDS calls a service through Envoy, which follows the registry.
func TestEnvoyFindsTheInstancesOverXDS(t *testing.T) {
	t.Parallel()
	envoy, r := prepared(t, "EVENTPROSPECT_TEST_ENVOY"), newRegistry(t, lasting)
	first, second, third := serveEvents(t, "first"), serveEvents(t, "second"), serveEvents(t, "third")
	r.join(t, "event", "first", first)
	leave := r.join(t, "event", "second", second)
	r.join(t, "prospect", "other", third)
	front := eventv1.NewEventServiceClient(dialEnvoy(t, envoy, r.address))
	eventually(t, "Envoy leads anywhere", func() error { _, err := nameOf(t, front); return err })

	mustAnswer(t, front, "first", "second")
	leave()
	mustAnswer(t, front, "first")
	r.join(t, "event", "third", third)
	mustAnswer(t, front, "first", "third")

	r.restart(func() { mustAnswer(t, front, "first", "third") })
	mustAnswer(t, front, "first", "third")
	r.join(t, "event", "second", second)
	mustAnswer(t, front, "first", "second", "third")
}

// events is an Event service that tells its own name.
type events struct {
	eventv1.UnimplementedEventServiceServer
	name string
}

func (e events) GetEvent(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error) {
	return &eventv1.Event{Name: e.name}, nil
}

// serveEvents runs an instance for the time of the test, and gives its address.
func serveEvents(t *testing.T, name string) string {
	t.Helper()
	listener, server := meshtest.Listen(t), grpc.NewServer()
	eventv1.RegisterEventServiceServer(server, events{name: name})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() { server.Stop(); <-ended })
	return listener.Addr().String()
}

// dialEnvoy runs Envoy, and gives a connection to its front.
func dialEnvoy(t *testing.T, executable, registry string) *grpc.ClientConn {
	t.Helper()
	host, port, err := net.SplitHostPort(registry)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	settings, admin := filepath.Join(folder, "envoy.yaml"), filepath.Join(folder, "admin")
	text := strings.NewReplacer("$HOST", host, "$PORT", port).Replace(envoySettings)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "envoy", exec.Command(executable, "--config-path", settings, "--admin-address-path", admin,
		"--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"))
	conn, err := grpc.NewClient("passthrough:///"+frontOf(t, admin), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// frontOf waits until Envoy listens, and gives where. The file tells where Envoy can be asked.
func frontOf(t *testing.T, adminPath string) (address string) {
	t.Helper()
	eventually(t, "Envoy listens", func() error {
		admin, err := os.ReadFile(adminPath)
		if err != nil {
			return err
		}
		resp, err := http.Get("http://" + string(admin) + "/listeners?format=json")
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		var answer struct {
			Listeners []struct {
				Address struct {
					Socket struct {
						Address string
						Port    int `json:"port_value"`
					} `json:"socket_address"`
				} `json:"local_address"`
			} `json:"listener_statuses"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return err
		}
		if len(answer.Listeners) != 1 {
			return errors.New("it has no listener yet")
		}
		socket := answer.Listeners[0].Address.Socket
		address = fmt.Sprintf("%s:%d", socket.Address, socket.Port)
		return nil
	})
	return address
}

// mustAnswer calls until the last calls have reached exactly these instances. None may fail.
func mustAnswer(t *testing.T, front eventv1.EventServiceClient, names ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, name := range names {
		want[name] = true
	}
	eventually(t, fmt.Sprintf("Envoy leads to %v", names), func() error {
		got := map[string]bool{}
		for range 5 * len(names) {
			name, err := nameOf(t, front)
			if err != nil {
				t.Fatalf("a call failed: %v", err)
			}
			got[name] = true
		}
		if !maps.Equal(got, want) {
			return fmt.Errorf("it leads to %v", got)
		}
		return nil
	})
}

// nameOf makes one call and gives the name of the instance that answered.
func nameOf(t *testing.T, front eventv1.EventServiceClient) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	event, err := front.GetEvent(ctx, &eventv1.GetEventRequest{Id: "any"}, grpc.WaitForReady(true))
	return event.GetName(), err
}
