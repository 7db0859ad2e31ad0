// Package app puts the Prospect service together.
package app

import (
	"context"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/outbox"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/stream"
	"eventprospect/services/prospect/internal/api"
	"eventprospect/services/prospect/internal/events"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/publish"
)

// requests is the namespace of the ids (UUIDv5) that stand for clients' request ids.
var requests = uuid.MustParse("d3a7f1f2-6c57-4f7e-9a0b-52c7c5a0e1f4")

// Bind puts the service together: store, relay, domain, API.
func Bind(ctx context.Context, app *mesh.App, cfg Config) error {
	store, err := mesh.Open(ctx, app, "store", func(ctx context.Context) (store, error) { return openStore(ctx, cfg.Store.Reveal()) })
	if err != nil {
		return err
	}
	room := outbox.NewRoom(cfg.Outbox.MaxWaiting)
	relay, err := stream.NewRelay(store, cfg.Kafka, publish.Source,
		stream.Telemetry{Traces: app.Traces, Metrics: app.Metrics, Log: app.Log}, stream.WithRoom(room))
	if err != nil {
		return err
	}
	app.Go("relay", relay.Run)
	app.Ready("kafka", relay.Ready)
	conn, err := app.Connect("event", rpc.WithAccount(app.Account),
		rpc.WithBreaker(events.Part, cfg.EventBreaker, app.Log, eventv1.EventService_GetEvent_FullMethodName))
	if err != nil {
		return err
	}
	prospects := prospect.NewService(store, events.New(eventv1.NewEventServiceClient(conn)),
		publish.Encoder(newID, app.Traces), room, relay.Wake, newID, time.Now)
	return app.ServeGRPC(func(server grpc.ServiceRegistrar) {
		prospectv1.RegisterProspectServiceServer(server, api.New(prospects, idOf))
		prospectv1.RegisterOutboxServiceServer(server, api.NewOutbox(store, room.Max()))
	})
}

// newID makes an id that grows with time (UUIDv7, RFC 9562 section 5.7), so that new rows lie side by side.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func idOf(requestID string) string { return uuid.NewSHA1(requests, []byte(requestID)).String() }
