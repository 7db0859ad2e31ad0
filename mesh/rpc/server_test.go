package rpc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	channelz "google.golang.org/grpc/channelz/service"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	denied := fault.New(fault.Denied, "this needs the role reader")
	denied.Roles = []string{"reader"}
	nobody := func(message string) *fault.Error { return fault.New(fault.Unauthenticated, "%s", message) }
	const wantBearer = "the authorization header must be \"Bearer\" and a token"
	cases := map[string]struct {
		headers []string
		want    *fault.Error
	}{
		"the role":         {[]string{"Bearer reader"}, nil},
		"another role":     {[]string{"Bearer editor"}, denied},
		"no token":         {nil, nobody("a bearer token is required")},
		"a bad token":      {[]string{"Bearer bad"}, nobody("the token is bad")},
		"an empty header":  {[]string{""}, nobody(wantBearer)},
		"no bearer scheme": {[]string{"Basic reader"}, nobody(wantBearer)},
		"two tokens":       {[]string{"Bearer reader", "Bearer reader"}, nobody("there is more than one authorization header")},
	}
	address, _ := start(t, good())
	client := eventsAt(t, address)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.MD{"authorization": c.headers})
			_, err := client.GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
			if c.want != nil {
				checkFault(t, err, c.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheHandlerKnowsTheCaller(t *testing.T) {
	t.Parallel()
	address, _ := start(t, &events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
		identity, known := auth.FromContext(ctx)
		if !known {
			return nil, errors.New("nobody is known")
		}
		return &eventv1.Event{Name: identity.Subject}, nil
	}})
	event, err := eventsAt(t, address).GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
	if err != nil || event.GetName() != "somebody" {
		t.Errorf("%v, %v", event, err)
	}
}

func TestHealthAndReflectionAreOpen(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t)
	healthv1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	if err := server.Seal(); err != nil {
		t.Fatal(err)
	}
	conn := dial(t, serve(t, server.Server))
	if _, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("health: %v", err)
	}
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := &reflectionv1.ServerReflectionRequest_ListServices{}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: list}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Errorf("reflection: %v", err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
}

func TestSealRefusesAMethodWithoutARule(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t)
	t.Cleanup(server.Stop)
	channelz.RegisterChannelzServiceToServer(server)
	if err := server.Seal(); err == nil || !strings.Contains(err.Error(), "/grpc.channelz.v1.Channelz/") {
		t.Errorf("got %v, want an error that names the method", err)
	}
}

func TestNothingIsServedBeforeTheSeal(t *testing.T) {
	t.Parallel()
	server, _ := newServer(t)
	eventv1.RegisterEventServiceServer(server, &events{})
	healthv1.RegisterHealthServer(server, health.NewServer())
	conn := dial(t, serve(t, server.Server))
	_, err := eventv1.NewEventServiceClient(conn).GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
	checkKind(t, err, fault.Unimplemented)
	_, err = healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
	checkKind(t, err, fault.Unimplemented)
}

func TestRequestsAreValidated(t *testing.T) {
	t.Parallel()
	address, _ := start(t, &events{}) // A request that got through would find no handler.
	client := eventsAt(t, address)
	ctx := as(t, "editor")
	tooLong := strings.Repeat("x", 201)
	_, err := client.CreateEvent(ctx, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: tooLong, DateEvent: "1.1.26"}})
	checkViolations(t, err, "event.name", "event.date_event")
	_, err = client.CreateEvent(ctx, &eventv1.CreateEventRequest{RequestId: "no UUID"})
	checkViolations(t, err, "event", "request_id")
	_, err = client.BatchGetEvents(as(t, "reader"), &eventv1.BatchGetEventsRequest{Ids: []string{"x", ""}})
	checkViolations(t, err, "ids[1]")
}

// checkViolations wants an Invalid fault that refuses these fields and says why.
func checkViolations(t *testing.T, err error, fields ...string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatalf("got %v, want Invalid", err)
	}
	var got []string
	for _, v := range f.Violations {
		got = append(got, v.Field)
		if v.Detail == "" {
			t.Errorf("%s: no detail", v.Field)
		}
	}
	if !slices.Equal(got, fields) {
		t.Errorf("refused are %q, want %q", got, fields)
	}
}

// A caller without the role learns nothing about the rules of the request.
func TestAccessComesBeforeValidation(t *testing.T) {
	t.Parallel()
	address, _ := start(t, &events{})
	_, err := eventsAt(t, address).GetEvent(as(t, "editor"), &eventv1.GetEventRequest{})
	checkKind(t, err, fault.Denied)
}

func TestMessagesAreBounded(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", rpc.MaxMessage+1)
	address, _ := start(t, &events{get: func(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error) {
		return &eventv1.Event{Name: large}, nil
	}})
	unbounded := grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(8*rpc.MaxMessage), grpc.MaxCallRecvMsgSize(8*rpc.MaxMessage))
	client, careless := eventsAt(t, address), eventsAt(t, address, unbounded)
	want := fault.New(fault.Exhausted, "the request or its answer is larger than allowed, or too much is asked at once")
	_, err := client.GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: large})
	checkFault(t, err, want)
	_, err = careless.GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: large})
	checkFault(t, err, want)
	_, err = careless.GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
	checkFault(t, err, want)
}

func TestEveryCallHasADeadline(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	address, _ := start(t, &events{get: func(ctx context.Context, _ *eventv1.GetEventRequest) (*eventv1.Event, error) {
		end, ok := ctx.Deadline()
		if !ok {
			return nil, errors.New("there is no deadline")
		}
		left <- time.Until(end)
		return &eventv1.Event{}, nil
	}})
	plain, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	own, cancel := context.WithTimeout(as(t, "reader"), time.Hour)
	defer cancel()
	once := rpc.DefaultCalls()
	once.Attempts = 1
	cases := map[string]struct {
		ctx         context.Context
		conn        grpc.ClientConnInterface
		least, most time.Duration
	}{
		"the server's default": {as(t, "reader"), plain, 25 * time.Second, 30 * time.Second},
		"the client's default": {as(t, "reader"), dial(t, address, rpc.WithCalls(once)), 5 * time.Second, 10 * time.Second},
		"the caller's own":     {own, dial(t, address, rpc.WithCalls(once)), 59 * time.Minute, time.Hour},
	}
	for name, c := range cases {
		if _, err := eventv1.NewEventServiceClient(c.conn).GetEvent(c.ctx, &eventv1.GetEventRequest{Id: "x"}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := <-left; got < c.least || got > c.most {
			t.Errorf("%s: %v left, want %v to %v", name, got, c.least, c.most)
		}
	}
}
