package discovery_test

import (
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/resolver"

	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/discovery"
)

// away gives a client of a registry that is not there.
func away(t *testing.T, options ...grpc.DialOption) registryv1.RegistryServiceClient {
	t.Helper()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient("passthrough:///127.0.0.1:1", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return registryv1.NewRegistryServiceClient(conn)
}

func TestATargetNamesAServiceAndNoHost(t *testing.T) {
	t.Parallel()
	builder := discovery.NewResolver(away(t), slog.New(slog.DiscardHandler))
	for target, good := range map[string]bool{
		discovery.Target("event"): true, "mesh:///": false, "mesh://host/event": false,
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		r, err := builder.Build(resolver.Target{URL: *u}, nil, resolver.BuildOptions{})
		if (err == nil) != good {
			t.Errorf("%s: error %v", target, err)
		}
		if r != nil {
			r.Close()
		}
	}
}

func TestAMemberOfARegistryThatIsAwayStopsAndDrainsInTime(t *testing.T) {
	t.Parallel()
	waiting := grpc.WithDefaultCallOptions(grpc.WaitForReady(true))
	for name, registry := range map[string]registryv1.RegistryServiceClient{"refused": away(t), "waited for": away(t, waiting)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			member := discovery.NewMember(registry, &registryv1.Instance{}, slog.New(slog.DiscardHandler))
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- member.Run(ctx) }()
			draining, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			member.Drain(draining)
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			select {
			case <-member.Joined():
				t.Error("it says that it has joined")
			default:
			}
		})
	}
}
