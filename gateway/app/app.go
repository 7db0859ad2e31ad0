// Package app puts the gateway together.
package app

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"eventprospect/gateway/internal/edge"
	"eventprospect/mesh"
)

// Bind wires the gateway: connections to the services, and the edge in front of them. It does not join the registry:
// nobody in the mesh calls it.
func Bind(_ context.Context, app *mesh.App, cfg Config) error {
	event, err := app.Connect("event")
	if err != nil {
		return err
	}
	prospect, err := app.Connect("prospect")
	if err != nil {
		return err
	}
	registry, err := app.ConnectRegistry()
	if err != nil {
		return err
	}
	handler, err := edge.New(edge.Config{
		MaxBody: cfg.MaxBody, Timeout: cfg.Timeout,
		Verifier: app.Verifier, Traces: app.Traces, Log: app.Log,
		Event: event, Prospect: prospect, Registry: registry,
	})
	if err != nil {
		return err
	}
	app.Ready("event", connected(event))
	app.Ready("prospect", connected(prospect))
	app.ServeHTTP(handler)
	return nil
}

// connected checks that an instance can be reached, and makes an idle connection try.
func connected(conn *grpc.ClientConn) func(context.Context) error {
	conn.Connect()
	return func(ctx context.Context) error {
		for {
			state := conn.GetState()
			if state == connectivity.Ready {
				return nil
			}
			conn.Connect()
			if !conn.WaitForStateChange(ctx, state) {
				return fmt.Errorf("connection is %v", state)
			}
		}
	}
}
