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
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestEveryFaceShowsTheSameInstance(t *testing.T) {
	t.Parallel()
	r := start(t)
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

// A gRPC client that knows nothing but the bootstrap finds the service, without a token.
func TestAnyGRPCClientFindsAServiceByXDS(t *testing.T) {
	t.Parallel()
	r := start(t)
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
	if code, _ := r.get(t, "/eureka/apps/"); code != http.StatusNotFound {
		t.Errorf("status %d, want 404", code)
	}
}
