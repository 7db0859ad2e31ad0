// Package app puts the Event service together.
package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/stream"
	"eventprospect/services/event/internal/api"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/sqlite"
)

// requests is the namespace of the ids (UUIDv5) that stand for clients' request ids.
var requests = uuid.MustParse("3b1c9a52-0d0e-4b8e-8d64-1f0e2a7c5b90")

// Bind puts the service together: store, domain, consumer, API.
func Bind(ctx context.Context, app *mesh.App, cfg Config) error {
	store, err := openStore(ctx, app, cfg.Store)
	if err != nil {
		return err
	}
	events := event.NewService(store, newID, time.Now)
	handler, err := consumer.New(events)
	if err != nil {
		return err
	}
	messages, err := stream.NewConsumer(cfg.Kafka, cfg.Group, handler.Handle, app.Traces, app.Log)
	if err != nil {
		return err
	}
	app.Go("consumer", messages.Run)
	app.Ready("kafka", messages.Ready)
	return app.ServeGRPC(func(server grpc.ServiceRegistrar) {
		eventv1.RegisterEventServiceServer(server, api.New(events, idOf))
	})
}

// openStore opens the store that the setting's scheme names.
func openStore(ctx context.Context, app *mesh.App, setting string) (event.Store, error) {
	scheme, rest, _ := strings.Cut(setting, ":")
	switch scheme {
	case "sqlite":
		store, err := sqlite.Open(ctx, rest)
		if err != nil {
			return nil, err
		}
		app.OnClose(store.Close)
		app.Ready("store", store.Ping)
		return store, nil
	}
	return nil, fmt.Errorf("store: the scheme %q of the setting is none of: sqlite", scheme)
}

// newID makes an id that grows with time (UUIDv7, RFC 9562 section 5.7), so that new rows lie side by side.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func idOf(requestID string) string { return uuid.NewSHA1(requests, []byte(requestID)).String() }
