package balance_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"eventprospect/mesh/balance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend is an instance that does as it is told.
type backend struct {
	healthv1.UnimplementedHealthServer
	address string
	server  *grpc.Server
	calls   atomic.Int32
	code    atomic.Int32              // of its answers
	hangs   atomic.Bool               // it says nothing, until the call's end
	refuses func(service string) bool // whether it is UNAVAILABLE to a call, told apart by the service that it asks for
}

func (b *backend) Check(ctx context.Context, r *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	b.calls.Add(1)
	if b.refuses != nil && b.refuses(r.GetService()) {
		return nil, status.Error(codes.Unavailable, "as told")
	}
	if b.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if code := codes.Code(b.code.Load()); code != codes.OK {
		return nil, status.Error(code, "as told")
	}
	return &healthv1.HealthCheckResponse{}, nil
}

func (b *backend) serve(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	b.address, b.server = listener.Addr().String(), grpc.NewServer()
	healthv1.RegisterHealthServer(b.server, b)
	server := b.server
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
}

// world is a client, and the instances that it knows.
type world struct {
	client   healthv1.HealthClient
	backends []*backend
}

const attempts = 4

func newWorld(t *testing.T, instances int) *world {
	t.Helper()
	w := &world{}
	var state resolver.State
	for range instances {
		b := &backend{}
		b.serve(t, "127.0.0.1:0")
		w.backends = append(w.backends, b)
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: b.address}}})
	}
	found := manual.NewBuilderWithScheme("test")
	found.InitialState(state)
	conn, err := grpc.NewClient("test:///", grpc.WithResolvers(found), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(fmt.Sprintf(`{
			"loadBalancingConfig": [{%q: {}}],
			"methodConfig": [{"name": [{}], "waitForReady": true, "retryPolicy": {
				"maxAttempts": %d, "initialBackoff": "0.001s", "maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]
			}}]
		}`, balance.Name, attempts)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	w.client = healthv1.NewHealthClient(conn)
	w.settle(t)
	return w
}

// settle returns when every instance has been called; then all are connected.
func (w *world) settle(t *testing.T) {
	t.Helper()
	for _, b := range w.backends {
		for before := b.calls.Load(); b.calls.Load() == before; {
			if err := w.call(t, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, b := range w.backends {
		b.calls.Store(0)
	}
}

func (w *world) call(t *testing.T, repeatable bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := w.client.Check(balance.NewContext(ctx, repeatable), &healthv1.HealthCheckRequest{})
	return err
}

// cut makes an attempt that nobody waits for longer than a moment.
func (w *world) cut(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _ = w.client.Check(balance.NewContext(ctx, true), &healthv1.HealthCheckRequest{})
}

func (w *world) counts() []int32 {
	var all []int32
	for _, b := range w.backends {
		all = append(all, b.calls.Load())
	}
	return all
}

func TestInstancesTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	for range 300 {
		if err := w.call(t, true); err != nil {
			t.Fatal(err)
		}
	}
	for _, count := range w.counts() {
		if count != 100 {
			t.Fatalf("calls %v, want 100 each", w.counts())
		}
	}
}

// With round robin alone, other calls in between send some back to the instance that has just refused them.
func TestNoCallMeetsAnInstanceTwice(t *testing.T) {
	t.Parallel()
	for between := range 4 {
		w := newWorld(t, 2)
		ask := func(service string) {
			ctx := balance.NewContext(t.Context(), false)
			if _, err := w.client.Check(ctx, &healthv1.HealthCheckRequest{Service: service}); err != nil {
				t.Error(err)
			}
		}
		var refused int
		w.backends[0].refuses = func(service string) bool {
			if service != "ours" {
				return false
			}
			refused++
			for range between {
				ask("another")
			}
			return true
		}
		for refused == 0 {
			ask("ours")
		}
		if refused > 1 {
			t.Errorf("with %d calls in between, it was refused %d times", between, refused)
		}
	}
}

func TestWhoIsAloneIsCalledWhateverItAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.backends[0].code.Store(int32(codes.Unavailable))
	for range 5 {
		if err := w.call(t, true); status.Code(err) != codes.Unavailable {
			t.Fatalf("error %v, want the instance's", err)
		}
	}
	if calls := w.backends[0].calls.Load(); calls != 5*attempts {
		t.Errorf("%d attempts reached it, want %d", calls, 5*attempts)
	}
	w.backends[0].code.Store(int32(codes.OK))
	if err := w.call(t, true); err != nil {
		t.Error(err)
	}
}

func TestAnInstanceThatHangsIsLeftOutUntilItAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	hung := w.backends[0]
	hung.hangs.Store(true)
	for hung.calls.Load() < 3 {
		w.cut(t)
	}
	// Now it is left out: nobody is sent there but a probe a second. Its calls are few, whatever the time that this takes.
	before, began := hung.calls.Load(), time.Now()
	for range 1000 {
		w.cut(t)
	}
	if probes := hung.calls.Load() - before; float64(probes) > 1+time.Since(began).Seconds() {
		t.Errorf("%d calls in %v reached the instance that hangs", probes, time.Since(began))
	}
	hung.hangs.Store(false)
	for woken := hung.calls.Load(); hung.calls.Load() < woken+100; {
		if err := w.call(t, true); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAnswerIsASignOfLife(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.NotFound, codes.Internal, codes.ResourceExhausted} {
		w := newWorld(t, 2)
		w.backends[0].code.Store(int32(code))
		for range 100 {
			_ = w.call(t, true)
		}
		if counts := w.counts(); counts[0] != 50 || counts[1] != 50 {
			t.Errorf("%v: calls %v, want 50 each", code, counts)
		}
	}
}

func TestACallerThatGivesUpProvesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.backends[0].hangs.Store(true)
	for w.backends[0].calls.Load() < 10 {
		ctx, cancel := context.WithCancel(t.Context())
		before := w.counts()
		done := make(chan struct{})
		go func() { defer close(done); _, _ = w.client.Check(ctx, &healthv1.HealthCheckRequest{}) }()
		for after := w.counts(); before[0] == after[0] && before[1] == after[1]; after = w.counts() {
			time.Sleep(time.Millisecond)
		}
		cancel()
		<-done
	}
}

// What was known of a process doesn't count for the one that takes its place.
func TestAnInstanceThatComesBackIsANewOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	hung := w.backends[0]
	hung.hangs.Store(true)
	for hung.calls.Load() < 3 {
		w.cut(t)
	}
	hung.server.Stop()
	hung.hangs.Store(false)
	hung.serve(t, hung.address)
	for back := hung.calls.Load(); hung.calls.Load() < back+50; {
		// A call that can't be repeated would not be a probe for another ten seconds.
		if err := w.call(t, false); err != nil {
			t.Fatal(err)
		}
	}
}
