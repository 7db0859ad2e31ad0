package xds_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/xds"
)

// failures counts how many of some calls fail.
func (c caller) failures(calls int) int {
	failed := 0
	for range calls {
		if _, err := c.call(); err != nil {
			failed++
		}
	}
	return failed
}

func TestWhatIsUnavailableIsTriedAgain(t *testing.T) {
	t.Parallel()
	s, never := defaults(), 0
	s.Policies = map[string]xds.Override{"once": {Retries: &never}}
	p, good, bad := start(t, s), newBackend(t), newBackend(t, answering(codes.Unavailable))
	for _, service := range []string{"event", "once"} {
		p.join(instance(service, "good", good.address))
		p.join(instance(service, "bad", bad.address))
	}
	clients := p.dial("", "event", "once")
	until(t, "the bad one is called", func() bool { _, _ = clients[0].call(); return bad.calls.Load() > 0 })
	if n := clients[0].failures(50); n > 0 {
		t.Errorf("%d of 50 calls failed in spite of retries", n)
	}
	clients[1].fails(codes.Unavailable)
}

func TestOnlyWhatIsUnavailableIsTriedAgain(t *testing.T) {
	t.Parallel()
	p, bad := start(t, defaults()), newBackend(t, answering(codes.Internal))
	p.join(bad.as("bad"))
	if _, err := p.event().call(); status.Code(err) != codes.Internal || bad.calls.Load() != 1 {
		t.Errorf("error %v after %d calls, want INTERNAL after one", err, bad.calls.Load())
	}
}

func TestAnInstanceThatFailsIsLeftOut(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.Policy.Outlier = xds.Outlier{
		FailurePercent: 85, Interval: 100 * time.Millisecond, BaseEjection: time.Minute, MaxEjection: time.Minute,
		MaxEjectionPercent: 50, MinimumHosts: 2, Requests: 5,
	}
	p, good, bad := start(t, s), newBackend(t), newBackend(t, answering(codes.Internal))
	p.join(good.as("good"))
	p.join(bad.as("bad"))
	client := p.event()
	client.fails(codes.Internal)
	until(t, "calls don't fail any more", func() bool { return client.failures(20) == 0 })
}

func TestMoreRequestsThanAllowedAreRefused(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.Policy.MaxRequests, s.Policy.Retries = 2, 0
	holds := make(chan struct{})
	p, b := start(t, s), newBackend(t, holding(holds))
	// gRPC counts the calls of a process by the service's name: that of no other test.
	p.join(instance("bounded", "b", b.address))
	client := p.dial("", "bounded")[0]
	answers := make(chan error, 2)
	for range 2 {
		go func() { _, err := client.call(); answers <- err }()
	}
	until(t, "two calls are under way", func() bool { return b.calls.Load() == 2 })
	if _, err := client.call(); status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "max requests") {
		t.Errorf("error %v, want UNAVAILABLE for too many requests", err)
	}
	close(holds)
	for range 2 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

func TestATimeoutEndsACall(t *testing.T) {
	t.Parallel()
	s, limit := defaults(), 100*time.Millisecond
	s.Policies = map[string]xds.Override{"event": {Timeout: &limit}}
	p, b := start(t, s), newBackend(t, holding(make(chan struct{})))
	p.join(b.as("b"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	began := time.Now()
	_, err := p.event().client.Check(ctx, &healthv1.HealthCheckRequest{})
	if status.Code(err) != codes.DeadlineExceeded || time.Since(began) > patience/2 {
		t.Errorf("error %v after %v, want DEADLINE_EXCEEDED long before the caller's own", err, time.Since(began))
	}
}

func TestCallsAreSharedByWeight(t *testing.T) {
	t.Parallel()
	s, even := defaults(), false
	s.Policies = map[string]xds.Override{"even": {Weights: &even}}
	p, heavy, light := start(t, s), newBackend(t), newBackend(t)
	for _, service := range []string{"event", "even"} {
		for _, i := range []registry.Instance{instance(service, "heavy", heavy.address), instance(service, "light", light.address)} {
			if i.ID == "heavy" {
				i.Weight = 3
			}
			p.join(i)
		}
	}
	clients := p.dial("", "event", "even")
	for i, want := range []float64{0.75, 0.5} {
		clients[i].reach(heavy, light)
		if got := clients[i].share(heavy, 1000); got < want-0.06 || got > want+0.06 {
			t.Errorf("the heavy one got %.3f of the calls, want %.2f", got, want)
		}
	}
}

// share tells which part of some calls reaches a backend.
func (c caller) share(b *backend, calls int) float64 {
	c.t.Helper()
	hits := 0
	for range calls {
		address, err := c.call()
		if err != nil {
			c.t.Fatal(err)
		}
		if address == b.address {
			hits++
		}
	}
	return float64(hits) / float64(calls)
}

func TestInstancesOfAZoneAndWeightShareEvenly(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	backends := []*backend{newBackend(t), newBackend(t), newBackend(t)}
	for i, zone := range []string{"z1", "z1", "z2"} {
		told := backends[i].as(zone + backends[i].address)
		told.Zone = zone
		p.join(told)
	}
	client := p.event()
	client.reach(backends...)
	for _, b := range backends {
		if got := client.share(b, 900); got < 0.27 || got > 0.4 {
			t.Errorf("one got %.3f of the calls, want a third", got)
		}
	}
}

func TestAClientPrefersItsZoneAndGoesElsewhereIfNobodyIsThere(t *testing.T) {
	t.Parallel()
	s, near := defaults(), true
	s.Policies = map[string]xds.Override{"event": {ZonePriority: &near}}
	p, a, b := start(t, s), newBackend(t), newBackend(t)
	home, abroad := a.as("a"), b.as("b")
	home.Zone, abroad.Zone = "z1", "z2"
	clients := []caller{p.dial("?zone=z1", "event")[0], p.dial("?zone=z2", "event")[0], p.dial("?zone=z3", "event")[0], p.dial("", "event")[0]}
	session := p.join(home)
	p.join(abroad)
	clients[0].reach(a)
	clients[1].reach(b)
	clients[2].reach(a, b)
	clients[3].reach(a, b)
	session.Close()
	clients[0].reach(b)
	p.join(home)
	clients[0].reach(a)
	a.stop() // nobody tells the registry
	clients[0].reach(b)
}
