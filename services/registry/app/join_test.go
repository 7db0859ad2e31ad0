package app_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/registry/app"
)

func TestEachMessageIsAnsweredWithTheTerm(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *app.Config) { c.Term = 42 * time.Second })
	stream := r.open(t)
	for _, message := range []*registryv1.Instance{instance("event", "a"), nil, instance("event", "a"), nil} {
		answer, err := say(stream, message)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.GetTerm().AsDuration(); got != 42*time.Second {
			t.Errorf("term %v, want 42s", got)
		}
	}
}

func TestWhatAJoinMayNotSay(t *testing.T) {
	t.Parallel()
	r := start(t)
	_, err := say(r.open(t), nil)
	wantField(t, err, "instance")
	malformed := instance("Event!", "a")
	_, err = say(r.open(t), malformed)
	wantField(t, err, "instance.service")
	_, err = say(r.join(t, instance("event", "a")), instance("event", "b"))
	wantField(t, err, "instance.id")
	_, err = say(r.join(t, instance("event", "a")), instance("prospect", "a"))
	wantField(t, err, "instance.service")
}

func TestALimitIsToldApart(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *app.Config) { c.MaxInstances, c.MaxWatchers = 1, 1 })
	r.join(t, instance("event", "a"))
	_, err := say(r.open(t), instance("event", "b"))
	wantKind(t, err, fault.Exhausted)
	wantNext(t, r.watch(t, "event"), "a")
	_, err = r.watch(t, "event").Recv()
	wantKind(t, err, fault.Exhausted)
}

func TestAnInstanceThatFallsSilentIsRemoved(t *testing.T) {
	t.Parallel()
	r := start(t, func(c *app.Config) { c.Term = 100 * time.Millisecond })
	watch := r.watch(t, "event")
	wantNext(t, watch)
	stream := r.join(t, instance("event", "a"))
	wantNext(t, watch, "a")
	_, err := stream.Recv()
	wantKind(t, err, fault.Timeout)
	wantNext(t, watch)
	r.wantListed(t)
}

func TestAnInstanceIsRemovedAtOnceWhenItsStreamEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, stream registryv1.RegistryService_JoinClient, cancel func(), conn *net.TCPConn){
		"closed": func(t *testing.T, stream registryv1.RegistryService_JoinClient, _ func(), _ *net.TCPConn) {
			if err := stream.CloseSend(); err != nil {
				t.Fatal(err)
			}
		},
		"canceled": func(_ *testing.T, _ registryv1.RegistryService_JoinClient, cancel func(), _ *net.TCPConn) { cancel() },
		"connection reset": func(t *testing.T, _ registryv1.RegistryService_JoinClient, _ func(), conn *net.TCPConn) {
			if err := conn.SetLinger(0); err != nil {
				t.Fatal(err)
			}
			_ = conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			watch := r.watch(t, "event")
			wantNext(t, watch)
			client, socket := dialBare(t, r.Address)
			ctx, cancel := context.WithCancel(r.ctx)
			defer cancel()
			one := &running{client: client, ctx: ctx}
			stream := one.join(t, instance("event", "a"))
			wantNext(t, watch, "a")
			began := time.Now()
			end(t, stream, cancel, socket())
			wantNext(t, watch)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("it took %v, as if the term of 10s counted", took)
			}
		})
	}
}

// dialBare gives a client whose connection can be broken underneath it.
func dialBare(t *testing.T, address string) (registryv1.RegistryServiceClient, func() *net.TCPConn) {
	t.Helper()
	var mu sync.Mutex
	var socket *net.TCPConn
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			mu.Lock()
			defer mu.Unlock()
			socket, _ = c.(*net.TCPConn)
			return c, err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return registryv1.NewRegistryServiceClient(conn), func() *net.TCPConn {
		mu.Lock()
		defer mu.Unlock()
		return socket
	}
}

func TestATakeoverIsNotSeen(t *testing.T) {
	t.Parallel()
	r := start(t)
	older := r.join(t, instance("event", "a"))
	watch := r.watch(t, "event")
	first := wantNext(t, watch, "a")
	r.join(t, instance("event", "a"))
	_, err := say(older, nil)
	wantKind(t, err, fault.AlreadyExists)
	// The next thing that the watch sees is this, with the instance still there.
	r.join(t, instance("event", "b"))
	second := wantNext(t, watch, "a", "b")
	if second.GetRevision() <= first.GetRevision() {
		t.Errorf("revision %d after %d", second.GetRevision(), first.GetRevision())
	}
	if changed := ids(second.GetInstances()); !slices.Equal(changed, []string{"b"}) {
		t.Errorf("changed %v, want b alone", changed)
	}
}

func TestOutOfServiceDisappearsFromWatchAndStaysInTheList(t *testing.T) {
	t.Parallel()
	r := start(t)
	stream := r.join(t, instance("event", "a"))
	watch := r.watch(t, "event")
	wantNext(t, watch, "a")
	out := instance("event", "a")
	out.Status = registryv1.Instance_OUT_OF_SERVICE
	if _, err := say(stream, out); err != nil {
		t.Fatal(err)
	}
	wantNext(t, watch)
	r.wantListed(t, "a")
	list, err := r.client.ListInstances(meshtest.As(t, r.issuer.Token("reader")), &registryv1.ListInstancesRequest{Service: "prospect"})
	if err != nil || len(list.GetInstances()) > 0 {
		t.Errorf("instances of another service: %v, error %v", list.GetInstances(), err)
	}
}
