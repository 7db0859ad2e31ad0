package app_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/xds"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/app"
)

// get gives the status and the body of a page of the registry.
func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	answer := r.ask(t, http.MethodGet, path)
	return answer.code, answer.body
}

// answer is what the registry says over HTTP.
type answer struct {
	code   int
	header http.Header
	body   string
}

// ask makes a request, with these values of its authorization header. Of an answer without end it reads nothing.
func (r *running) ask(t *testing.T, method, path string, authorization ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.Address+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Authorization"] = authorization
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	got, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if got.Header.Get("Content-Type") == "text/event-stream" {
		return answer{got.StatusCode, got.Header, ""}
	}
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header, string(body)}
}

// opened lets everybody read and register.
func opened(c *app.Config) { c.OpenReads, c.Eureka.OpenWrites = true, true }

func TestEveryFaceShowsTheSameInstance(t *testing.T) {
	t.Parallel()
	r := start(t, opened)
	r.join(t, instance("event", "seen-everywhere"))
	for path, want := range map[string]string{
		"/":                     "seen-everywhere",
		"/eureka/apps/":         "seen-everywhere",
		"/eureka/v2/apps/EVENT": "seen-everywhere",
		"/xds/bootstrap.json":   r.Address,
	} {
		if code, body := r.get(t, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200s", path, code, body)
		}
	}
}

// A gRPC client that knows nothing but the bootstrap finds the service, without a token, where reads are open.
func TestAnyGRPCClientFindsAServiceByXDS(t *testing.T) {
	t.Parallel()
	r := start(t, opened)
	service := meshtest.Run(t, "event", meshtest.Config(r.issuer, r.Address, "event"), bare)
	code, bootstrap := r.get(t, "/xds/bootstrap.json")
	if code != http.StatusOK || !json.Valid([]byte(bootstrap)) {
		t.Fatalf("bootstrap: %d %s", code, bootstrap)
	}
	found, err := xds.NewXDSResolverWithConfigForTesting([]byte(bootstrap))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("xds:///event", grpc.WithResolvers(found), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	r.wantListedSoon(t, 1)
	if reached := call(t, healthv1.NewHealthClient(conn), grpc.WaitForReady(true)); reached != service.Address {
		t.Errorf("reached %s, want %s", reached, service.Address)
	}
}

func TestTheEurekaFaceCanBeOff(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *app.Config) { c.Eureka.Enabled = false })
	for _, path := range []string{"/eureka/apps/", "/eureka/v2/apps", "/eureka/"} {
		if code, _ := r.get(t, path); code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, code)
		}
	}
}
