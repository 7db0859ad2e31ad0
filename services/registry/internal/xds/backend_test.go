package xds_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/internal/registry"
)

// backend is a gRPC server that the tests call.
type backend struct {
	healthv1.UnimplementedHealthServer

	address string
	answers codes.Code    // of every call
	holds   chan struct{} // if there is one, calls wait until it is closed or they are over
	calls   atomic.Int32
	stop    func()
}

func newBackend(t testing.TB, change ...func(*backend)) *backend {
	t.Helper()
	listener := meshtest.Listen(t)
	b := &backend{address: listener.Addr().String()}
	for _, c := range change {
		c(b)
	}
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, b)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(listener) }()
	b.stop = func() { server.Stop(); <-ended }
	t.Cleanup(b.stop)
	return b
}

func answering(code codes.Code) func(*backend) { return func(b *backend) { b.answers = code } }

func holding(holds chan struct{}) func(*backend) { return func(b *backend) { b.holds = holds } }

func (b *backend) Check(ctx context.Context, _ *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	b.calls.Add(1)
	if b.holds != nil {
		select {
		case <-b.holds:
		case <-ctx.Done():
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	if b.answers != codes.OK {
		return nil, status.Error(b.answers, "it was told to")
	}
	return &healthv1.HealthCheckResponse{}, nil
}

// as gives the backend as an instance of "event".
func (b *backend) as(id string) registry.Instance { return instance("event", id, b.address) }

// caller calls a service.
type caller struct {
	t      testing.TB
	client healthv1.HealthClient
}

// call gives the address of the instance that answered.
func (c caller) call(opts ...grpc.CallOption) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var from peer.Peer
	_, err := c.client.Check(ctx, &healthv1.HealthCheckRequest{}, append(opts, grpc.Peer(&from))...)
	if err != nil {
		return "", err
	}
	return from.Addr.String(), nil
}

// reach makes calls until the last ones have reached exactly these backends, and failed at none. They are so many that
// none is missed by chance.
func (c caller) reach(want ...*backend) {
	c.t.Helper()
	for end := time.Now().Add(patience); ; {
		got := map[string]int{}
		for range 50 {
			address, err := c.call()
			if err != nil {
				address = err.Error()
			}
			got[address]++
		}
		if only(got, want) {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("reached %v, want the %d backends alone", got, len(want))
		}
	}
}

func only(got map[string]int, want []*backend) bool {
	if len(got) != len(want) {
		return false
	}
	for _, b := range want {
		if got[b.address] == 0 {
			return false
		}
	}
	return true
}

// fails makes calls until one fails with the code.
func (c caller) fails(code codes.Code) {
	c.t.Helper()
	until(c.t, "a call fails with "+code.String(), func() bool {
		_, err := c.call()
		return status.Code(err) == code
	})
}
