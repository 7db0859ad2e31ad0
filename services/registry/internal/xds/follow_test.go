package xds_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"eventprospect/services/registry/internal/registry"
)

func TestAClientFollowsTheInstances(t *testing.T) {
	t.Parallel()
	p, a, b := start(t, defaults()), newBackend(t), newBackend(t)
	first := p.join(a.as("a"))
	client := p.event()
	client.reach(a)
	second := p.join(b.as("b"))
	client.reach(a, b)
	out := a.as("a")
	out.Reported = registry.OutOfService
	p.put(first, out)
	client.reach(b)
	p.put(first, a.as("a"))
	client.reach(a, b)
	if _, err := p.core.SetStatus(t.Context(), registry.Key{Service: "event", ID: "b"}, registry.OutOfService); err != nil {
		t.Fatal(err)
	}
	client.reach(a)
	second.Close()
	first.Close()
	client.fails(codes.Unavailable)
	answered := make(chan error, 1)
	go func() { _, err := client.call(grpc.WaitForReady(true)); answered <- err }()
	p.join(b.as("c"))
	client.reach(b)
	if err := <-answered; err != nil {
		t.Errorf("a call that was to wait: %v", err)
	}
}

func TestWhatIsUnderWayOnAnInstanceThatLeavesIsFinished(t *testing.T) {
	t.Parallel()
	holds := make(chan struct{})
	p, a, b := start(t, defaults()), newBackend(t, holding(holds)), newBackend(t)
	told := a.as("a")
	session := p.join(told)
	client := p.event()
	answers := make(chan error, 2)
	call := func() { _, err := client.call(); answers <- err }
	go call()
	until(t, "the first call is under way", func() bool { return a.calls.Load() == 1 })
	told.Weight = 2
	p.put(session, told)
	go call()
	until(t, "the second call is under way", func() bool { return a.calls.Load() == 2 })
	session.Close()
	p.join(b.as("b"))
	until(t, "calls go to the other one", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond) // the first one holds them
		defer cancel()
		_, _ = client.client.Check(ctx, &healthv1.HealthCheckRequest{})
		return b.calls.Load() > 20
	})
	close(holds)
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

func TestACallWaitsForAServiceThatComesLater(t *testing.T) {
	t.Parallel()
	p, b := start(t, defaults()), newBackend(t)
	client := p.event()
	answered := make(chan error, 1)
	go func() { _, err := client.call(grpc.WaitForReady(true)); answered <- err }()
	late := p.dial("", "late")[0] // whose service never comes
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := late.client.Check(ctx, &healthv1.HealthCheckRequest{}); err == nil {
		t.Error("a call of a service that isn't there succeeded")
	}
	p.join(b.as("b"))
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestAClientOfTwoServicesFollowsBoth(t *testing.T) {
	t.Parallel()
	p, a, b := start(t, defaults()), newBackend(t), newBackend(t)
	p.join(a.as("a"))
	p.join(instance("prospect", "b", b.address))
	clients := p.dial("", "event", "prospect")
	clients[0].reach(a)
	clients[1].reach(b)
	more := newBackend(t)
	p.join(instance("prospect", "c", more.address))
	clients[1].reach(b, more)
	clients[0].reach(a)
}

func TestWithoutARegistryClientsUseWhatTheyKnow(t *testing.T) {
	t.Parallel()
	p, a, b := start(t, defaults()), newBackend(t), newBackend(t)
	p.join(a.as("a"))
	p.join(b.as("b"))
	client := p.event()
	client.reach(a, b)
	p.stop()
	for range 50 {
		if _, err := client.call(); err != nil {
			t.Fatal(err)
		}
	}
	client.reach(a, b)
}

// A registry that comes back may know nobody at first, for longer than its grace.
func TestARestartOfTheRegistryFailsNoCall(t *testing.T) {
	t.Parallel()
	s := defaults()
	p, a, b := start(t, s), newBackend(t), newBackend(t)
	p.join(a.as("a"))
	client := p.event()
	client.reach(a)
	p.stop()
	s.address = p.address
	p = start(t, s)
	call := func() {
		if _, err := client.call(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the client is back", func() bool { call(); return p.opened.Load() > 0 })
	for range 200 {
		call()
	}
	p.join(b.as("b"))
	client.reach(b)
}

func TestInstancesThatCannotBeToldDoNotHideTheOthers(t *testing.T) {
	t.Parallel()
	p, b := start(t, defaults()), newBackend(t)
	p.join(instance("event", "no port", "somewhere"))
	p.join(instance("event", "no host", ":8080"))
	p.join(instance("event", "no number", "somewhere:http"))
	p.join(instance("event", "a", b.address))
	p.join(instance("event", "same address", b.address))
	p.join(instance("*", "a", b.address))
	p.join(instance("xdstp://x", "a", b.address))
	p.event().reach(b)
	s := p.sotw("raw", "")
	s.ask(clusterType)
	s.wantNames("event")
	s.ask(endpointType, "event")
	if found := priorities(t, s.answer().GetResources()[0]); found[0] != 1 {
		t.Errorf("%d endpoints, want one", found[0])
	}
}

// childTarget is set in a process of its own, in which nothing but the environment says where the registry is.
const childTarget = "XDS_TEST_TARGET"

func TestAProcessNeedsNothingButTheEnvironment(t *testing.T) {
	t.Parallel()
	p, b := start(t, defaults()), newBackend(t)
	p.join(b.as("b"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, self)
	command.Env = append(os.Environ(), childTarget+"=xds:///event", "GRPC_XDS_BOOTSTRAP_CONFIG="+string(p.bootstrap("?id=child&zone=z1")))
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if b.calls.Load() != 1 {
		t.Errorf("%d calls came, want 1", b.calls.Load())
	}
}

// child makes one call.
func child(target string) {
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err = healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}); err != nil {
		panic(err)
	}
}
