// Package app puts the Event service together.
package app

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/stream"
	"eventprospect/services/event/internal/api"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/inbox"
)

// requests is the namespace of the ids (UUIDv5) that stand for clients' request ids.
var requests = uuid.MustParse("3b1c9a52-0d0e-4b8e-8d64-1f0e2a7c5b90")

// Bind puts the service together: store, domain, consumer, API.
func Bind(ctx context.Context, app *mesh.App, cfg Config) error {
	store, err := mesh.Open(ctx, app, "store", func(ctx context.Context) (store, error) { return openStore(ctx, cfg.Store.Reveal()) })
	if err != nil {
		return err
	}
	events := event.NewService(store, newID, time.Now)
	handler, err := consumer.New(events)
	if err != nil {
		return err
	}
	messages, err := stream.NewConsumer(cfg.Kafka, cfg.Group, handler.Handle, stream.Telemetry{Traces: app.Traces, Metrics: app.Metrics, Log: app.Log})
	if err != nil {
		return err
	}
	app.Go("consumer", messages.Run)
	app.Ready("kafka", messages.Ready)
	if cfg.InboxRetention > 0 {
		app.Go("inbox", inbox.New(events, cfg.InboxRetention, app.Log).Run)
	}
	return app.ServeGRPC(func(server grpc.ServiceRegistrar) {
		eventv1.RegisterEventServiceServer(server, api.New(events, idOf))
		eventv1.RegisterRestoreServiceServer(server, api.NewRestorer(events, handler.Occurrence))
	})
}

// newID makes an id that grows with time (UUIDv7, RFC 9562 section 5.7), so that new rows lie side by side.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func idOf(requestID string) string { return uuid.NewSHA1(requests, []byte(requestID)).String() }
