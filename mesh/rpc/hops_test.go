package rpc_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

// chain serves two services, of which the first asks the second, and gives a client of the first.
func chain(t *testing.T, second *events) eventv1.EventServiceClient {
	t.Helper()
	once := rpc.DefaultCalls()
	once.Attempts = 1
	behind, _ := start(t, second)
	client := eventsAt(t, behind, rpc.WithCalls(once), grpc.WithPerRPCCredentials(readers{}))
	front, _ := start(t, &events{get: func(ctx context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
		return client.GetEvent(ctx, req)
	}})
	return eventsAt(t, front, rpc.WithCalls(once), grpc.WithPerRPCCredentials(readers{}))
}

// readers are credentials of a reader.
type readers struct{}

func (readers) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer reader"}, nil
}

func (readers) RequireTransportSecurity() bool { return false }

func TestTheDeadlineGoesWithTheCall(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	client := chain(t, &events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
		deadline, _ := ctx.Deadline()
		left <- time.Until(deadline)
		return &eventv1.Event{}, nil
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := client.GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"}); err != nil {
		t.Fatal(err)
	}
	if got := <-left; got > time.Hour || got < 59*time.Minute {
		t.Errorf("%v left behind two hops, of an hour", got)
	}
}

func TestACallThatIsGivenUpEndsBehindTwoHops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	client := chain(t, &events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
		defer close(ended)
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	_, err := client.GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
	checkKind(t, err, fault.Canceled)
	<-ended
}

// Two instances are enough to leave one out.
func TestAnInstanceThatFailsIsLeftOut(t *testing.T) {
	t.Parallel()
	var failed atomic.Int32
	bad, _ := start(t, &events{get: func(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error) {
		failed.Add(1)
		return nil, fault.Away("the store", 0)
	}})
	fine, _ := start(t, good())
	both := manual.NewBuilderWithScheme("both")
	both.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: bad}, {Addr: fine}}})
	conn, err := rpc.NewClient("both:///event", traces(t), grpc.WithResolvers(both), grpc.WithPerRPCCredentials(readers{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := eventv1.NewEventServiceClient(conn)
	for inARow, began := 0, time.Now(); inARow < 40; inARow++ {
		before := failed.Load()
		if _, err := client.GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"}); err != nil {
			t.Fatal(err)
		}
		if failed.Load() > before {
			inARow = 0
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("the bad instance is still called")
		}
	}
}
