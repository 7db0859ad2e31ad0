package discovery_test

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/resolver"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/discovery"
)

// balancer is what gRPC does with the addresses: it gives them to the test.
type balancer struct {
	resolver.ClientConn
	states chan []string
}

func (b *balancer) UpdateState(state resolver.State) error {
	all := make([]string, 0, len(state.Endpoints))
	for _, endpoint := range state.Endpoints {
		all = append(all, endpoint.Addresses[0].Addr)
	}
	b.states <- all
	return nil
}

// resolve follows the service "event" through the registries at these addresses, and gives the lists that gRPC gets.
func resolve(t *testing.T, addresses string) <-chan []string {
	t.Helper()
	b := &balancer{states: make(chan []string, 100)}
	target, err := url.Parse(discovery.Target("event"))
	if err != nil {
		t.Fatal(err)
	}
	builder := discovery.NewResolver(connect(t, addresses), slog.New(slog.NewTextHandler(t.Output(), nil)))
	r, err := builder.Build(resolver.Target{URL: *target}, b, resolver.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return b.states
}

// up makes instances, whose addresses are their ids.
func up(ids ...string) []*registryv1.Instance {
	var all []*registryv1.Instance
	for _, id := range ids {
		all = append(all, &registryv1.Instance{Service: "event", Id: id, Address: id + ":1", Status: registryv1.Instance_UP})
	}
	return all
}

func (f *fake) say(t *testing.T, answer *registryv1.WatchResponse) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case f.answers <- answer:
	case <-ctx.Done():
		t.Fatal("nobody watches")
	}
}

func wantState(t *testing.T, states <-chan []string, want ...string) {
	t.Helper()
	if got := next(t, states); !slices.Equal(got, want) {
		t.Errorf("gRPC gets %q, want %q", got, want)
	}
}

func TestTheResolverFollowsChanges(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	states := resolve(t, f.address)
	f.say(t, &registryv1.WatchResponse{Revision: 1, Snapshot: true, Instances: up("b"), More: true})
	f.say(t, &registryv1.WatchResponse{Revision: 1, Instances: up("a")})
	wantState(t, states, "a:1", "b:1") // never the half of it
	f.say(t, &registryv1.WatchResponse{Revision: 2, Instances: up("c"), RemovedIds: []string{"a", "unknown"}})
	wantState(t, states, "b:1", "c:1")
	moved := &registryv1.Instance{Service: "event", Id: "b", Address: "d:1", Status: registryv1.Instance_UP}
	f.say(t, &registryv1.WatchResponse{Revision: 3, Instances: []*registryv1.Instance{moved}})
	wantState(t, states, "c:1", "d:1")
	f.say(t, &registryv1.WatchResponse{Revision: 4, Snapshot: true})
	wantState(t, states)
}

func TestNewsWithoutAnotherAddressDoNotReachGRPC(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	states := resolve(t, f.address)
	f.say(t, &registryv1.WatchResponse{Revision: 1, Snapshot: true, Instances: up("a")})
	wantState(t, states, "a:1")
	twin := &registryv1.Instance{Service: "event", Id: "twin", Address: "a:1", Status: registryv1.Instance_UP}
	f.say(t, &registryv1.WatchResponse{Revision: 2, Instances: append(up("a"), twin)})
	f.say(t, &registryv1.WatchResponse{Revision: 3, Snapshot: true, Instances: up("a")})
	f.say(t, &registryv1.WatchResponse{Revision: 4, Instances: up("b")})
	wantState(t, states, "a:1", "b:1")
}

func TestTheResolverResumesWhereItWasComplete(t *testing.T) {
	t.Parallel()
	f := serveFake(t)
	states := resolve(t, f.address)
	if revision := next(t, f.resumed); revision != 0 {
		t.Errorf("begins at %d", revision)
	}
	f.say(t, &registryv1.WatchResponse{Revision: 7, Snapshot: true, Instances: up("a")})
	wantState(t, states, "a:1")
	f.say(t, &registryv1.WatchResponse{Revision: 9, Snapshot: true, Instances: up("b"), More: true})
	f.say(t, nil) // the stream breaks in the middle
	if revision := next(t, f.resumed); revision != 7 {
		t.Errorf("resumes from %d, want 7", revision)
	}
	f.say(t, &registryv1.WatchResponse{Revision: 9, Instances: up("c")})
	wantState(t, states, "a:1", "c:1")
}

func TestAWatchMovesToAnotherRegistry(t *testing.T) {
	t.Parallel()
	registries := map[bool]*fake{false: serveFake(t), true: serveFake(t)}
	states := resolve(t, registries[false].address+", "+registries[true].address)
	var first bool
	select {
	case <-registries[false].resumed:
	case <-registries[true].resumed:
		first = true
	}
	registries[first].say(t, &registryv1.WatchResponse{Revision: 7, Snapshot: true, Instances: up("a")})
	wantState(t, states, "a:1")
	registries[first].server.Stop()
	if revision := next(t, registries[!first].resumed); revision != 7 {
		t.Errorf("resumes from %d, want 7", revision)
	}
	registries[!first].say(t, &registryv1.WatchResponse{Revision: 8, Instances: up("b")})
	wantState(t, states, "a:1", "b:1") // a was known all the time
}

func TestRegistriesNamesTheBadAddress(t *testing.T) {
	t.Parallel()
	for addresses, bad := range map[string]string{"a:1": "", "a:1, b:2": "", "a:1,b": `"b"`, "": `""`, "a:1,": `""`, "a:": `"a:"`} {
		_, _, err := discovery.Registries(addresses)
		if (err == nil) != (bad == "") || err != nil && !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: error %v, want one that names %s", addresses, err, bad)
		}
	}
}
