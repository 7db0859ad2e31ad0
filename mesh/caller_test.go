package mesh_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/meshtest"
)

func TestCallerConfigNamesEverySettingThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*mesh.CallerConfig)
		want   string
	}{
		"registry":  {func(c *mesh.CallerConfig) { c.Registry = "" }, "registry: "},
		"addresses": {func(c *mesh.CallerConfig) { c.Registry = "a" }, "registry: "},
		"tls":       {func(c *mesh.CallerConfig) { c.TLS.Client.CAFile = "x" }, "tls.client.ca_file: "},
		"calls":     {func(c *mesh.CallerConfig) { c.Calls.Attempts = 0 }, "calls.attempts: "},
		"issuer":    {func(c *mesh.CallerConfig) { c.Auth.Issuer = "x" }, "auth.issuer: "},
		"secret":    {func(c *mesh.CallerConfig) { c.Auth.ClientSecret = "" }, "auth.client_secret: "},
	} {
		cfg := mesh.CallerDefaults("tool")
		cfg.Auth.ClientSecret = "s3cr3t"
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		c.change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := mesh.NewCaller("tool", cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: there is a caller all the same", name)
		}
	}
}

// here is a registry that is all services, too.
type here struct {
	registryv1.UnimplementedRegistryServiceServer
	address string
}

func (h *here) Watch(r *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	at := &registryv1.Instance{Service: r.GetService(), Id: "1", Address: h.address, Status: registryv1.Instance_UP}
	if err := stream.Send(&registryv1.WatchResponse{Instances: []*registryv1.Instance{at}, Revision: 1, Snapshot: true}); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

func (h *here) ListInstances(context.Context, *registryv1.ListInstancesRequest) (*registryv1.ListInstancesResponse, error) {
	return &registryv1.ListInstancesResponse{}, nil
}

func TestCallerFindsServicesThroughTheRegistry(t *testing.T) {
	t.Parallel()
	issuer, registry := meshtest.NewIssuer(t), &here{}
	registry.address = meshtest.Run(t, "registry", meshtest.Config(issuer, "", "registry"), func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		return app.ServeGRPC(func(s grpc.ServiceRegistrar) { registryv1.RegisterRegistryServiceServer(s, registry) })
	}).Address
	for name, as := range map[string]func(*mesh.CallerConfig){
		"as an account": func(c *mesh.CallerConfig) { c.Auth.ClientSecret = "secret" },
		"with a token":  func(c *mesh.CallerConfig) { c.Token = conf.Secret(issuer.Token("reader")) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := mesh.CallerDefaults("tool")
			cfg.Registry, cfg.Auth.Issuer = registry.address, issuer.URL
			as(&cfg)
			caller, err := mesh.NewCaller("tool", cfg, slog.New(slog.NewTextHandler(t.Output(), nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer caller.Close()
			if err := caller.SignIn(t.Context()); err != nil {
				t.Fatal(err)
			}
			conn, err := caller.Connect("anything")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := registryv1.NewRegistryServiceClient(conn).ListInstances(t.Context(), &registryv1.ListInstancesRequest{}); err != nil {
				t.Error(err)
			}
		})
	}
}
