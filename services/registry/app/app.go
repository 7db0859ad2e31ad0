// Package app puts the registry together.
package app

import (
	"context"
	"net/http"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/services/registry/internal/api"
	"eventprospect/services/registry/internal/registry"
)

// Bind wires the registry: its store, the core that answers from memory, and its gRPC face.
func Bind(ctx context.Context, app *mesh.App, cfg Config) error {
	store, err := mesh.Open(ctx, app, "store", func(ctx context.Context) (registry.Store, error) {
		return openStore(ctx, cfg.Store.Reveal(), app.Log)
	})
	if err != nil {
		return err
	}
	core := registry.New(cfg.settings(), store, registry.Node{Name: app.ID(), Run: uuid.NewString()})
	app.Go("registry", core.Run)
	if err := core.Loaded(ctx); err != nil {
		return err
	}
	err = app.ServeBoth(func(server grpc.ServiceRegistrar) {
		registryv1.RegisterRegistryServiceServer(server, api.New(core, cfg.Term))
	}, http.NotFoundHandler(), cfg.open()...)
	if err != nil {
		return err
	}
	// Added last, so done first: the graceful stop of the server waits for streams, and these would never end.
	app.OnStop(func(context.Context) error { core.Stop(); return nil })
	return nil
}
