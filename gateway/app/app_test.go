package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"eventprospect/gateway/app"
	"eventprospect/gateway/internal/edgetest"
	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
)

func TestConfigurationIsFlat(t *testing.T) {
	t.Parallel()
	cfg, err := conf.Load(app.Default(), "GATEWAY", "", []string{
		"GATEWAY_LISTEN=0.0.0.0:80", "GATEWAY_AUTH_CLIENT_SECRET=s", "GATEWAY_MAX_BODY=2000", "GATEWAY_TIMEOUT=1m", "OTHER=x",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := app.Default()
	want.Listen, want.Auth.ClientSecret, want.MaxBody, want.Timeout = "0.0.0.0:80", "s", 2000, time.Minute
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := conf.Load(app.Default(), "GATEWAY", "", []string{"GATEWAY_MAXBODY=1"}); err == nil {
		t.Error("an unknown variable is passed over")
	}
}

func TestValidateNamesWhatCannotWork(t *testing.T) {
	t.Parallel()
	good := app.Default()
	good.Auth.ClientSecret = "s"
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*app.Config){
		"listen":   func(c *app.Config) { c.Listen = "nowhere" },
		"registry": func(c *app.Config) { c.Registry = "" },
		"max_body": func(c *app.Config) { c.MaxBody = 5 << 20 },
		"timeout":  func(c *app.Config) { c.Timeout = time.Minute },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// serve gives a process that serves these services, and joins the registry if there is one.
func serve(register func(grpc.ServiceRegistrar)) mesh.Bind[mesh.Config] {
	return func(_ context.Context, app *mesh.App, _ mesh.Config) error { return app.ServeGRPC(register) }
}

func TestGatewayFindsServicesThroughTheRegistry(t *testing.T) {
	t.Parallel()
	issuer, store := meshtest.NewIssuer(t), edgetest.NewRegistry()
	registry := meshtest.Run(t, "registry", meshtest.Config(issuer, "", "registry-service"),
		serve(func(r grpc.ServiceRegistrar) { registryv1.RegisterRegistryServiceServer(r, store) }))
	cfg := app.Default()
	cfg.Config = meshtest.Config(issuer, registry.Address, "gateway-service")
	gateway := meshtest.Run(t, "gateway", cfg, app.Bind)

	if code, body := get(t, "http://"+gateway.Admin+"/readyz", ""); code != http.StatusServiceUnavailable ||
		!strings.Contains(body, `"event":"not ready"`) || !strings.Contains(body, `"prospect":"not ready"`) {
		t.Errorf("before the services are there: %d %s", code, body)
	}
	meshtest.Run(t, "event", meshtest.Config(issuer, registry.Address, "event-service"),
		serve(func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, &edgetest.Events{}) }))
	meshtest.Run(t, "prospect", meshtest.Config(issuer, registry.Address, "prospect-service"),
		serve(func(r grpc.ServiceRegistrar) { prospectv1.RegisterProspectServiceServer(r, edgetest.Prospects{}) }))
	awaitReady(t, gateway.Admin)

	token := issuer.Token("reader")
	for _, path := range []string{"/v1/events", "/prospects/filedWork/IT"} {
		if code, body := get(t, "http://"+gateway.Address+path, token); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	code, body := get(t, "http://"+gateway.Address+"/v1/instances?service=event", token)
	var list struct{ Instances []struct{ Service string } }
	if err := json.Unmarshal([]byte(body), &list); err != nil || code != http.StatusOK || len(list.Instances) != 1 {
		t.Fatalf("%d %s", code, body)
	}
	if roles := strings.Join(store.Lister().Roles, " "); roles != "reader" {
		t.Errorf("the registry was asked with the roles %q", roles)
	}
}

func awaitReady(t *testing.T, admin string) {
	t.Helper()
	var body string
	for deadline := time.Now().Add(meshtest.Patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var code int
		if code, body = get(t, "http://"+admin+"/readyz", ""); code == http.StatusOK {
			return
		}
	}
	t.Fatalf("not ready: %s", body)
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
