package app_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/peer"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/discovery"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// bare is a process with nothing but health, which every process has.
func bare(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeGRPC(func(grpc.ServiceRegistrar) {})
}

// strict is a policy that forgives nothing: no retry, no waiting for an instance.
const strict = `{"loadBalancingConfig": [{"round_robin": {}}]}`

// dialMesh makes a client of a service that is found through the registry at this address.
func dialMesh(t *testing.T, issuer *meshtest.Issuer, registry, service string, policy string, options ...grpc.DialOption) healthv1.HealthClient {
	t.Helper()
	traces, err := telemetry.NewTraces("test", telemetry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	dial := func(target string, options ...grpc.DialOption) *grpc.ClientConn {
		conn, err := rpc.NewClient(target, traces, options...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	options = append(options, grpc.WithPerRPCCredentials(auth.ServiceAccount(issuer.Config("test"))))
	client := registryv1.NewRegistryServiceClient(dial("passthrough:///"+registry, options...))
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	found := []grpc.DialOption{grpc.WithResolvers(discovery.NewResolver(client, log))}
	if policy != "" {
		found = append(found, grpc.WithDefaultServiceConfig(policy))
	}
	return healthv1.NewHealthClient(dial(discovery.Target(service), found...))
}

// call makes one call, which must succeed, and tells who answered.
func call(t *testing.T, client healthv1.HealthClient, options ...grpc.CallOption) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), meshtest.Patience)
	defer cancel()
	var who peer.Peer
	if _, err := client.Check(ctx, &healthv1.HealthCheckRequest{}, append(options, grpc.Peer(&who))...); err != nil {
		t.Fatalf("a call failed: %v", err)
	}
	return who.Addr.String()
}

// callUntil makes calls, all of which must succeed, until all of these, and nobody else, have answered the last 20.
func callUntil(t *testing.T, client healthv1.HealthClient, addresses ...string) {
	t.Helper()
	var last []string
	for began := time.Now(); time.Since(began) < meshtest.Patience; {
		last = append(last, call(t, client))
		if len(last) > 20 {
			last = last[1:]
		}
		if len(last) == 20 && only(last, addresses) {
			return
		}
	}
	t.Fatalf("the last calls were answered by %v, want %v", last, addresses)
}

func only(got, want []string) bool {
	count := map[string]int{}
	for _, who := range got {
		count[who]++
	}
	for _, who := range want {
		if count[who] == 0 {
			return false
		}
	}
	return len(count) == len(want)
}

func TestInstancesAreFoundAndDrainWithoutAFailedCall(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{"with the mesh's policy": "", "strictly": strict} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			cfg := meshtest.Config(r.issuer, r.Address, "event")
			// Time for the news to arrive, where nothing makes up for its being late.
			cfg.Drain = 500 * time.Millisecond
			first := meshtest.Run(t, "event", cfg, bare)
			client := dialMesh(t, r.issuer, r.Address, "event", policy)
			call(t, client, grpc.WaitForReady(true))
			callUntil(t, client, first.Address)

			second := meshtest.Run(t, "event", cfg, bare)
			callUntil(t, client, first.Address, second.Address)

			stopped := make(chan error, 1)
			go func() { stopped <- first.Stop() }()
			callUntil(t, client, second.Address)
			if err := <-stopped; err != nil {
				t.Error(err)
			}
			for range 100 {
				if who := call(t, client); who != second.Address {
					t.Fatalf("answered by %s, which has stopped", who)
				}
			}
			third := meshtest.Run(t, "event", cfg, bare)
			callUntil(t, client, second.Address, third.Address)
		})
	}
}

func TestADrainingInstanceIsSeenDrainingUntilItIsGone(t *testing.T) {
	t.Parallel()
	r := start(t)
	watch := r.watch(t, "event")
	wantNext(t, watch)
	cfg := meshtest.Config(r.issuer, r.Address, "event")
	cfg.Drain = 500 * time.Millisecond
	p := meshtest.Run(t, "event", cfg, bare)
	up, err := watch.Recv()
	if err != nil || len(up.GetInstances()) != 1 || up.GetInstances()[0].GetAddress() != p.Address {
		t.Fatalf("instances %v, error %v, want one at %s", up.GetInstances(), err, p.Address)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop() }()
	wantNext(t, watch)
	list, err := r.client.ListInstances(r.ctx, &registryv1.ListInstancesRequest{})
	if err != nil || len(list.GetInstances()) != 1 || list.GetInstances()[0].GetStatus() != registryv1.Instance_OUT_OF_SERVICE {
		t.Errorf("listed %v, error %v, want one OUT_OF_SERVICE", list.GetInstances(), err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	// The watch can't see it go: for watches it was gone already.
	r.wantListedSoon(t, 0)
}

// wantListedSoon waits until there are so many instances.
func (r *running) wantListedSoon(t *testing.T, want int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		list, err := r.client.ListInstances(r.ctx, &registryv1.ListInstancesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.GetInstances()) == want {
			return
		}
		<-tick.C
	}
}
