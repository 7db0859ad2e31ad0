// Command slow is a process of the mesh that serves the Event service's contract and takes 20 ms for each call, so that calls are
// always under way in it when it is killed. Its answer tells its address.
package main

import (
	"context"
	"time"

	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
)

// work is how long each call takes.
const work = 20 * time.Millisecond

func main() {
	mesh.Main("event", mesh.Defaults("8080", "18080", "event-service"),
		func(_ context.Context, app *mesh.App, cfg mesh.Config) error {
			return app.ServeGRPC(func(server grpc.ServiceRegistrar) {
				eventv1.RegisterEventServiceServer(server, events{address: cfg.Listen})
			})
		})
}

// events serves ListEvents alone.
type events struct {
	eventv1.UnimplementedEventServiceServer
	address string
}

func (e events) ListEvents(ctx context.Context, _ *eventv1.ListEventsRequest) (*eventv1.ListEventsResponse, error) {
	select {
	case <-time.After(work):
		return &eventv1.ListEventsResponse{Events: []*eventv1.Event{{Name: e.address}}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
