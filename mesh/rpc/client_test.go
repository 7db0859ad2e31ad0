package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/rpc"
)

// unreliable is an Event service that is away for the first attempts to create, and keeps the ids of all requests.
type unreliable struct {
	mu    sync.Mutex
	fails int
	ids   []string
}

func (u *unreliable) create(_ context.Context, req *eventv1.CreateEventRequest) (*eventv1.Event, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ids = append(u.ids, req.GetRequestId())
	if len(u.ids) <= u.fails {
		return nil, fault.Away("the store", 0)
	}
	return req.GetEvent(), nil
}

func TestTheAttemptsOfOneCallShareItsRequestID(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]string{"filled": "", "given": uuid.NewString()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := &unreliable{fails: 2}
			address, _ := start(t, &events{create: service.create})
			req := &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "x"}, RequestId: given}
			if _, err := eventsAt(t, address).CreateEvent(as(t, "editor"), req); err != nil {
				t.Fatal(err)
			}
			if len(service.ids) != 3 {
				t.Fatalf("%d attempts, want 3", len(service.ids))
			}
			for _, id := range service.ids {
				if id != service.ids[0] || uuid.Validate(id) != nil || (given != "" && id != given) {
					t.Errorf("ids are %q, given was %q", service.ids, given)
				}
			}
		})
	}
}

func TestTwoCallsWithOneMessageAreTwoRequests(t *testing.T) {
	t.Parallel()
	service := &unreliable{}
	address, _ := start(t, &events{create: service.create})
	client, req := eventsAt(t, address), &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "x"}}
	for range 2 {
		if _, err := client.CreateEvent(as(t, "editor"), req); err != nil {
			t.Fatal(err)
		}
	}
	if service.ids[0] == service.ids[1] {
		t.Error("the second call repeats the first one's id")
	}
	if req.GetRequestId() != "" {
		t.Error("the caller's message was changed")
	}
}

func TestOnlyUnavailableIsTriedAgain(t *testing.T) {
	t.Parallel()
	for kind, c := range faults() {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			t.Parallel()
			var attempts atomic.Int32
			address, _ := start(t, &events{get: func(context.Context, *eventv1.GetEventRequest) (*eventv1.Event, error) {
				attempts.Add(1)
				return nil, c.sent
			}})
			patient := rpc.DefaultCalls()
			patient.FirstAttempt = time.Minute
			_, err := eventsAt(t, address, rpc.WithCalls(patient)).GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
			checkKind(t, err, kind)
			want := int32(1)
			if kind == fault.Unavailable {
				want = 4
			}
			if got := attempts.Load(); got != want {
				t.Errorf("%d attempts, want %d", got, want)
			}
		})
	}
}

// doubtful are credentials that can't be had at first.
type doubtful struct{ fails *atomic.Int32 }

func (d doubtful) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if d.fails.Add(-1) >= 0 {
		return nil, status.Error(codes.Unavailable, "no token")
	}
	return map[string]string{"authorization": "Bearer reader"}, nil
}

func (doubtful) RequireTransportSecurity() bool { return false }

func TestACallWaitsForItsCredentials(t *testing.T) {
	t.Parallel()
	address, _ := start(t, good())
	var fails atomic.Int32
	fails.Store(2)
	client := eventsAt(t, address, grpc.WithPerRPCCredentials(doubtful{&fails}))
	if _, err := client.GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"}); err != nil {
		t.Error(err)
	}
}

// network connects to whatever address is set, and refuses as long as none is.
type network struct {
	address  atomic.Pointer[string]
	refusals chan struct{}
}

func newNetwork() *network { return &network{refusals: make(chan struct{}, 100)} }

const unreachable = "10.11.12.13:4567"

func (n *network) dial(ctx context.Context, _ string) (net.Conn, error) {
	address := n.address.Load()
	if address == nil {
		n.refusals <- struct{}{}
		return nil, errors.New("dial tcp " + unreachable + ": connection refused")
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", *address)
}

func TestACallWaitsForTheServer(t *testing.T) {
	t.Parallel()
	n := newNetwork()
	client := eventsAt(t, "event", grpc.WithContextDialer(n.dial))
	answer := make(chan error, 1)
	go func() {
		_, err := client.GetEvent(as(t, "reader"), &eventv1.GetEventRequest{Id: "x"})
		answer <- err
	}()
	for range 5 { // By then a call that only tries again would have given up.
		<-n.refusals
	}
	address, _ := start(t, good())
	n.address.Store(&address)
	if err := <-answer; err != nil {
		t.Error(err)
	}
}

func TestTheAddressOfAnUnreachableServerIsNotTold(t *testing.T) {
	t.Parallel()
	n := newNetwork()
	client := eventsAt(t, "event", grpc.WithContextDialer(n.dial))
	_, err := client.GetEvent(t.Context(), &eventv1.GetEventRequest{Id: "x"}, grpc.WaitForReady(false))
	want := fault.New(fault.Unavailable, "a part of the system does not answer now: try again")
	want.RetryAfter = time.Second
	checkFault(t, err, want)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = client.GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"})
	checkKind(t, err, fault.Timeout, unreachable)
}
