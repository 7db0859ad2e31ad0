package app_test

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// registry knows one Event service, and takes everybody in.
type registry struct {
	registryv1.UnimplementedRegistryServiceServer
	event string // its address; empty: there is none
}

func (*registry) Join(stream registryv1.RegistryService_JoinServer) error {
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		if err := stream.Send(&registryv1.JoinResponse{Term: durationpb.New(time.Minute)}); err != nil {
			return err
		}
	}
}

func (r *registry) Watch(req *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	answer := &registryv1.WatchResponse{Revision: 1, Snapshot: true}
	if req.GetService() == "event" && r.event != "" {
		answer.Instances = []*registryv1.Instance{{Service: "event", Id: "1", Address: r.event, Status: registryv1.Instance_UP}}
	}
	if err := stream.Send(answer); err != nil {
		return err
	}
	<-stream.Context().Done()
	return nil
}

// events is an Event service that has the event e. The event "hang" makes it hang.
type events struct {
	eventv1.UnimplementedEventServiceServer
	asked func(auth.Identity) // hears who asks, if somebody wants to know
}

func (e events) GetEvent(ctx context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
	if caller, ok := auth.FromContext(ctx); ok && e.asked != nil {
		e.asked(caller)
	}
	if req.GetId() == "hang" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if req.GetId() != "e" {
		return nil, fault.Missing("Event", req.GetId())
	}
	return &eventv1.Event{Id: "e"}, nil
}

// serve serves what a prospect service needs around it, a registry and events, and returns the address.
func serve(t *testing.T, issuer *meshtest.Issuer) string {
	t.Helper()
	listener := meshtest.Listen(t)
	return serveOn(t, issuer, listener, &registry{event: listener.Addr().String()}, events{})
}

// serveOn serves this registry and events, and returns the address.
func serveOn(t *testing.T, issuer *meshtest.Issuer, listener net.Listener, registry *registry, events events) string {
	t.Helper()
	log := telemetry.NewLog(t.Output(), "neighbours", 0)
	traces, err := telemetry.NewTraces("neighbours", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	verifier, err := auth.NewVerifier(ctx, issuer.Config("neighbours"), log)
	if err != nil {
		t.Fatal(err)
	}
	server, err := rpc.NewServer(verifier, traces, log)
	if err != nil {
		t.Fatal(err)
	}
	registryv1.RegisterRegistryServiceServer(server, registry)
	eventv1.RegisterEventServiceServer(server, events)
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}
