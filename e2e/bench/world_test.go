// Package bench measures what a client waits for, on the whole system in this process. One caller at a time tells the latency,
// sixteen the throughput; -benchtime 1000x gives percentiles of a thousand:
//
//	go test -run '^$' -bench . -benchtime 1000x ./e2e/bench
//
// How the engines compare, and what a service costs beside its database, tells
//
//	go test -run '^$' -bench Stores -benchtime 2000x ./e2e/bench
//
// with the servers running that tests use. It prints, for each service and engine, for create and get, and for each number of
// callers at once: ops/s through the gRPC API, bare-ops/s of the same statement by the driver alone, and x-bare, how many
// times as long the service takes.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"

	"eventprospect/dev/stack"
	"eventprospect/dev/system"
	"eventprospect/e2e/client"
)

// warmUp is how many requests are made before those that count.
const warmUp = 50

// world is a running system and its clients.
type world struct {
	*client.Client
	ctx       context.Context // of gRPC calls by an editor
	events    eventv1.EventServiceClient
	prospects prospectv1.ProspectServiceClient
}

func newWorld(b *testing.B) *world {
	b.Helper()
	return newWorldOn(b, "", "")
}

// newWorldOn starts a system with these stores; empty: SQLite.
func newWorldOn(b *testing.B, eventStore, prospectStore string) *world {
	b.Helper()
	return startWorld(b, system.Config{EventStore: eventStore, ProspectStore: prospectStore})
}

// startWorld starts a system.
func startWorld(b *testing.B, cfg system.Config) *world {
	b.Helper()
	cfg.Realm, cfg.Log = stack.Realm, io.Discard
	s, err := system.Start(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Stop(); err != nil {
			b.Error(err)
		}
	})
	c, err := client.New(client.Endpoints{
		Gateway: s.Gateway, Issuer: s.Issuer, Event: s.Event, Prospect: s.Prospect, Registry: s.Registry,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return newWorldOf(b, c)
}

// newWorldOf makes the world of a system that runs.
func newWorldOf(b *testing.B, c *client.Client) *world {
	b.Helper()
	w := &world{Client: c}
	event, _ := c.Conn("event.v1")
	prospect, _ := c.Conn("prospect.v1")
	w.events, w.prospects = eventv1.NewEventServiceClient(event), prospectv1.NewProspectServiceClient(prospect)
	var err error
	if w.ctx, err = c.As(b.Context(), client.Editor); err != nil {
		b.Fatal(err)
	}
	return w
}

// createREST creates a prospect over REST, and returns its id.
func (w *world) createREST(ctx context.Context) (string, error) {
	var created struct{ ID string }
	err := w.rest(ctx, http.MethodPost, "/prospects", `{"firstName": "Grace", "lastName": "Hopper", "filedWork": "IT"}`, http.StatusCreated, &created)
	return created.ID, err
}

func (w *world) createGRPC(ctx context.Context) error {
	_, err := w.prospects.CreateProspect(ctx, &prospectv1.CreateProspectRequest{
		Prospect: &prospectv1.Prospect{FirstName: "Grace", LastName: "Hopper", FiledWork: "IT"},
	})
	return err
}

func (w *world) getREST(ctx context.Context, id string) error {
	var got struct{ ID string }
	return w.rest(ctx, http.MethodGet, "/prospects/"+id, "", http.StatusOK, &got)
}

// visible creates a prospect and asks for its event until it is there.
func (w *world) visible(ctx context.Context) error {
	id, err := w.createREST(ctx)
	for err == nil {
		var answer *eventv1.ListEventsResponse
		answer, err = w.events.ListEvents(w.ctx, &eventv1.ListEventsRequest{ProspectId: id})
		if len(answer.GetEvents()) > 0 {
			return nil
		}
	}
	return err
}

func (w *world) rest(ctx context.Context, method, path, body string, want int, into any) error {
	req, err := w.Request(ctx, method, path, body)
	if err != nil {
		return err
	}
	resp, err := w.Do(req, client.Editor)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != want {
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	return json.Unmarshal(text, into)
}

// latency measures one caller at a time.
func latency(b *testing.B, call func() error) {
	b.Helper()
	for range warmUp {
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		if err := call(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	report(b, took)
}

// report tells the percentiles.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)*99/100]), "p99-ms")
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
