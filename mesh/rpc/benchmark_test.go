package rpc_test

import (
	"io"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/rpc"
)

// BenchmarkCall is what the client's chain costs per call: gRPC alone, all of it, and with a breaker. The server is a plain one.
func BenchmarkCall(b *testing.B) {
	server := grpc.NewServer()
	eventv1.RegisterEventServiceServer(server, good())
	address := "passthrough:///" + serve(b, server)
	breaker := rpc.WithBreaker("it", rpc.DefaultBreaker(), slog.New(slog.DiscardHandler), eventv1.EventService_GetEvent_FullMethodName)
	single := rpc.DefaultCalls()
	single.Attempts = 1
	for name, connect := range map[string]func() (*grpc.ClientConn, error){
		"bare": func() (*grpc.ClientConn, error) {
			return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		},
		"client":       func() (*grpc.ClientConn, error) { return rpc.NewClient(address, traces(b)) },
		"one attempt":  func() (*grpc.ClientConn, error) { return rpc.NewClient(address, traces(b), rpc.WithCalls(single)) },
		"with breaker": func() (*grpc.ClientConn, error) { return rpc.NewClient(address, traces(b), breaker) },
	} {
		b.Run(name, func(b *testing.B) {
			conn, err := connect()
			if err != nil {
				b.Fatal(err)
			}
			defer func(c io.Closer) { _ = c.Close() }(conn)
			client, req := eventv1.NewEventServiceClient(conn), &eventv1.GetEventRequest{Id: "x"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.GetEvent(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
