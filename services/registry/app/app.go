// Package app puts the registry together.
package app

import (
	"context"

	"google.golang.org/grpc"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/services/registry/internal/api"
	"eventprospect/services/registry/internal/registry"
)

// Bind wires the registry. What it knows is in memory: after a restart the instances tell it again.
func Bind(_ context.Context, app *mesh.App, cfg Config) error {
	core := registry.New(registry.Settings{
		Term: cfg.Term, Grace: cfg.Grace, MaxInstances: cfg.MaxInstances, MaxWatchers: cfg.MaxWatchers,
	})
	app.Go("terms", core.Run)
	err := app.ServeGRPC(func(server grpc.ServiceRegistrar) {
		registryv1.RegisterRegistryServiceServer(server, api.New(core, cfg.Term))
	})
	if err != nil {
		return err
	}
	// Added last, so done first: the graceful stop of the server waits for streams, and these would never end.
	app.OnStop(func(context.Context) error { core.Stop(); return nil })
	return nil
}
