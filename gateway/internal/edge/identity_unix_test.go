//go:build unix

package edge_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"eventprospect/gateway/internal/edge"
	"eventprospect/gateway/internal/edgetest"
	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// trusting is a verifier that believes everybody.
type trusting struct{}

func (trusting) Verify(context.Context, string) (auth.Identity, error) {
	return auth.Identity{Subject: "somebody", Roles: []string{"reader", "editor"}}, nil
}

// BenchmarkIdentity compares what a GET through the gateway costs with tokens verified, at the edge and at the service, and
// with every caller believed. Both take turns within one run, and the processor's time counts, that of the client included:
// x-cpu is how many times as much the first takes.
//
//	go test -run '^$' -bench Identity -benchtime 20x ./gateway/internal/edge
func BenchmarkIdentity(b *testing.B) {
	const requests = 500 // of each kind in a turn
	issuer := meshtest.NewIssuer(b)
	verifier, err := auth.NewVerifier(b.Context(), issuer.Config("gateway-service"), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	for !verifier.Ready(b.Context()) {
		time.Sleep(time.Millisecond)
	}
	token := issuer.Token("reader", "editor")
	kinds := []*measured{measure(b, verifier, token), measure(b, trusting{}, token)}
	for _, m := range kinds {
		m.run(b, requests) // connect, and fill the cache
		m.spent = 0
	}
	for turn := 0; b.Loop(); turn++ {
		for i := range kinds {
			kinds[(i+turn)%len(kinds)].run(b, requests)
		}
	}
	perRequest := func(m *measured) float64 { return float64(m.spent.Microseconds()) / float64(b.N*requests) }
	b.ReportMetric(perRequest(kinds[0]), "on-µs")
	b.ReportMetric(perRequest(kinds[1]), "off-µs")
	b.ReportMetric(perRequest(kinds[0])/perRequest(kinds[1]), "x-cpu")
	b.ReportMetric(0, "ns/op") // it is of both kinds, and tells nothing
}

// measured is an edge with a service, and the processor's time that requests to it took.
type measured struct {
	client *http.Client
	url    string
	token  string
	spent  time.Duration
}

// measure serves an edge and a service with this verifier.
func measure(b *testing.B, verifier rpc.Verifier, token string) *measured {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	traces, err := telemetry.NewTraces("gateway", telemetry.Config{})
	if err != nil {
		b.Fatal(err)
	}
	events := &edgetest.Events{}
	if _, err := events.CreateEvent(b.Context(), &eventv1.CreateEventRequest{EventId: "e", Event: &eventv1.Event{Name: "Fair"}}); err != nil {
		b.Fatal(err)
	}
	conn := serveTo(b, verifier, traces, log, events)
	handler, err := edge.New(edge.Config{
		MaxBody: maxBody, Timeout: meshtest.Patience, Verifier: verifier, Traces: traces, Log: log,
		Event: conn, Prospect: conn, Registry: conn,
	})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(handler)
	b.Cleanup(server.Close)
	return &measured{client: server.Client(), url: server.URL + "/events/e", token: token}
}

func serveTo(b *testing.B, verifier rpc.Verifier, traces *telemetry.Traces, log *slog.Logger, events *edgetest.Events) *grpc.ClientConn {
	b.Helper()
	server, err := rpc.NewServer(verifier, traces, log)
	if err != nil {
		b.Fatal(err)
	}
	eventv1.RegisterEventServiceServer(server, events)
	if err := server.Seal(); err != nil {
		b.Fatal(err)
	}
	listener := meshtest.Listen(b)
	go func() { _ = server.Serve(listener) }()
	b.Cleanup(server.Stop)
	conn, err := rpc.NewClient("passthrough:///"+listener.Addr().String(), traces)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn
}

// run makes requests, one after the other.
func (m *measured) run(b *testing.B, requests int) {
	b.Helper()
	before := processorTime(b)
	for range requests {
		if err := m.get(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	m.spent += processorTime(b) - before
}

func (m *measured) get(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+m.token)
	resp, err := m.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", resp.Status)
	}
	return nil
}

// processorTime is what this process has used of the processors until now.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
