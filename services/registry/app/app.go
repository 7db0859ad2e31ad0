// Package app puts the registry together.
package app

import (
	"context"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/google/uuid"
	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/services/registry/internal/api"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/xds"
)

// Bind wires the registry: its store, the core that answers from memory, and its faces, all on one port.
func Bind(ctx context.Context, app *mesh.App, cfg Config) error {
	store, err := mesh.Open(ctx, app, "store", func(ctx context.Context) (registry.Store, error) {
		return openStore(ctx, cfg.Store.Reveal(), cfg.StoreTLS, app.Log)
	})
	if err != nil {
		return err
	}
	core := registry.New(cfg.settings(), store, registry.Node{Name: app.ID(), Run: uuid.NewString()})
	app.Go("registry", core.Run)
	if err := core.Loaded(ctx); err != nil {
		return err
	}
	resources := xds.New(core, cfg.XDS, cfg.Grace, app.Log)
	app.Go("xds", resources.Run)
	gate, err := newGate(app.Verifier, cfg)
	if err != nil {
		return err
	}
	err = app.ServeBoth(func(server grpc.ServiceRegistrar) {
		registryv1.RegisterRegistryServiceServer(server, api.New(core, cfg.Term))
		discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, discovery{resources, gate})
	}, pages(core, resources, gate, cfg, app.Log), cfg.open()...)
	if err != nil {
		return err
	}
	// Added last, so done first: the graceful stop of the server waits for streams, and these would never end.
	app.OnStop(func(context.Context) error { core.Stop(); return nil })
	return nil
}
