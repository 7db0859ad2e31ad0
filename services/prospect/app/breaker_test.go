package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/prospect/app"
)

// An Event service that doesn't answer holds a caller up for a short time, and no caller once the breaker is open. What doesn't
// need it goes on.
func TestTheBreakerAnswersForAnEventServiceThatIsAway(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		registry func(address string) *registry
		event    string
	}{
		"there is none": {func(string) *registry { return &registry{} }, "e"},
		"refused":       {func(string) *registry { return &registry{event: "127.0.0.1:1"} }, "e"},
		"hangs":         {func(address string) *registry { return &registry{event: address} }, "hang"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer, listener := meshtest.NewIssuer(t), meshtest.Listen(t)
			cfg := config(t, issuer)
			cfg.Registry = serveOn(t, issuer, listener, c.registry(listener.Addr().String()), events{})
			cfg.EventBreaker.Timeout, cfg.EventBreaker.Open = 50*time.Millisecond, time.Minute
			p := meshtest.Run(t, "prospect", cfg, app.Bind)
			client := prospectv1.NewProspectServiceClient(plain(t, p.Address))
			for range cfg.EventBreaker.MinimumCalls {
				if err := create(t, client, issuer, c.event); retryDelay(t, err) != time.Second {
					t.Errorf("before the breaker is open: %v", err)
				}
			}
			err := create(t, client, issuer, c.event)
			if delay := retryDelay(t, err); delay < 30*time.Second || delay > time.Minute {
				t.Errorf("try again in %v, while the breaker is open for %v", delay, cfg.EventBreaker.Open)
			}
			if err := create(t, client, issuer, ""); err != nil {
				t.Errorf("without an event: %v", err)
			}
		})
	}
}

// The fault arrives as it was made, through both services.
func TestTheMeshsOwnClientsSeeWhenToTryAgain(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	cfg.EventBreaker.Timeout, cfg.EventBreaker.MinimumCalls, cfg.EventBreaker.Open = 50*time.Millisecond, 1, time.Minute
	p := meshtest.Run(t, "prospect", cfg, app.Bind)
	if err := create(t, prospectv1.NewProspectServiceClient(plain(t, p.Address)), issuer, "hang"); retryDelay(t, err) != time.Second {
		t.Fatal(err)
	}
	client := prospectv1.NewProspectServiceClient(meshtest.Dial(t, p.Address))
	var f *fault.Error
	if err := create(t, client, issuer, "e"); !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter < 30*time.Second {
		t.Errorf("error %v", err)
	}
}

// plain makes a connection that neither tries again nor translates.
func plain(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func create(t *testing.T, client prospectv1.ProspectServiceClient, issuer *meshtest.Issuer, event string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(meshtest.As(t, issuer.Token("editor")), meshtest.Patience)
	defer cancel()
	_, err := client.CreateProspect(ctx, &prospectv1.CreateProspectRequest{
		Prospect: &prospectv1.Prospect{FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT", IdEvent: event},
	})
	return err
}

// retryDelay gives when an UNAVAILABLE says to try again.
func retryDelay(t *testing.T, err error) time.Duration {
	t.Helper()
	if status.Code(err) != codes.Unavailable {
		t.Fatalf("error %v, want UNAVAILABLE", err)
	}
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	t.Fatalf("%v doesn't say when to try again", err)
	return 0
}
