package mesh_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings are those of a process that trusts an issuer of its own, and joins no registry.
func settings(t *testing.T) mesh.Config {
	t.Helper()
	return meshtest.Config(meshtest.NewIssuer(t), "", "event")
}

// run runs a process to its end.
func run(ctx context.Context, t *testing.T, bind mesh.Bind[mesh.Config]) error {
	t.Helper()
	listeners := mesh.WithListeners(meshtest.Listen(t), meshtest.Listen(t))
	return mesh.Run(ctx, "event", settings(t), bind, listeners, mesh.WithLog(io.Discard))
}

// record keeps what happened, in order.
type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

func TestWhatWasStartedIsStoppedInReverse(t *testing.T) {
	t.Parallel()
	var r record
	first, second := errors.New("first trouble"), errors.New("second trouble")
	ctx, cancel := context.WithCancel(t.Context())
	err := run(ctx, t, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		app.OnClose(func() error { r.add("store"); return first })
		app.Go("consumer", func(ctx context.Context) error { <-ctx.Done(); r.add("consumer"); return ctx.Err() })
		app.OnStop(func(context.Context) error { r.add("relay"); return second })
		app.OnClose(func() error { r.add("server"); return nil })
		cancel()
		return nil
	})
	if !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("error is %v, want both", err)
	}
	if want := []string{"server", "relay", "consumer", "store"}; !slices.Equal(r.lines, want) {
		t.Errorf("stopped %q, want %q", r.lines, want)
	}
}

func TestAnActorThatEndsStopsTheProcess(t *testing.T) {
	t.Parallel()
	trouble := errors.New("trouble")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"with an error":    {trouble, "consumer: trouble"},
		"without an error": {nil, "consumer: ended by itself"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			closed := false
			err := run(t.Context(), t, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
				app.OnClose(func() error { closed = true; return nil })
				app.Go("consumer", func(context.Context) error { return c.err })
				return nil
			})
			if err == nil || err.Error() != c.want || (c.err != nil && !errors.Is(err, c.err)) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
			if !closed {
				t.Error("the rest isn't stopped")
			}
		})
	}
}

func TestWhatBindOpenedIsClosedIfItFails(t *testing.T) {
	t.Parallel()
	trouble, closing := errors.New("no such table"), errors.New("not closed")
	var r record
	main, admin := meshtest.Listen(t), meshtest.Listen(t)
	err := mesh.Run(t.Context(), "event", settings(t), func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		app.OnClose(func() error { r.add("store"); return closing })
		app.Go("relay", func(ctx context.Context) error { <-ctx.Done(); r.add("relay"); return nil })
		return trouble
	}, mesh.WithListeners(main, admin), mesh.WithLog(io.Discard))
	if !errors.Is(err, trouble) || !errors.Is(err, closing) {
		t.Errorf("error is %v", err)
	}
	if want := []string{"relay", "store"}; !slices.Equal(r.lines, want) {
		t.Errorf("stopped %q, want %q", r.lines, want)
	}
	checkClosed(t, main, admin)
}

func checkClosed(t *testing.T, listeners ...net.Listener) {
	t.Helper()
	for _, listener := range listeners {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s was still open", listener.Addr())
		}
	}
}

func TestAPortThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	taken := meshtest.Listen(t).Addr().String()
	for name, change := range map[string]func(*mesh.Config){
		"listen": func(c *mesh.Config) { c.Listen = taken },
		"admin":  func(c *mesh.Config) { c.Admin = taken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := settings(t)
			change(&cfg)
			checkTaken(t, cfg, taken)
		})
	}
}

func TestAPortThatIsTakenLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	cfg, admin := settings(t), meshtest.Listen(t)
	cfg.Listen = meshtest.Listen(t).Addr().String()
	checkTaken(t, cfg, cfg.Listen, mesh.WithListeners(nil, admin))
	checkClosed(t, admin)
}

func checkTaken(t *testing.T, cfg mesh.Config, address string, options ...mesh.Option) {
	t.Helper()
	bind := func(context.Context, *mesh.App, mesh.Config) error { t.Error("bound"); return nil }
	err := mesh.Run(t.Context(), "event", cfg, bind, append(options, mesh.WithLog(io.Discard))...)
	if err == nil || !strings.Contains(err.Error(), "listen on "+address) {
		t.Errorf("error is %v, want one that names %s", err, address)
	}
}

func TestASettingThatCannotWorkStopsTheProcess(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	cfg.Listen, cfg.Auth.Audience = "nowhere", ""
	bind := func(context.Context, *mesh.App, mesh.Config) error { t.Error("bound"); return nil }
	err := mesh.Run(t.Context(), "event", cfg, bind, mesh.WithLog(io.Discard))
	if err == nil || !strings.Contains(err.Error(), "listen") || !strings.Contains(err.Error(), "auth.audience") {
		t.Errorf("error is %v", err)
	}
}

// An issuer, a registry and a collector that are all away don't keep a process from running, or from stopping.
func TestAProcessRunsAloneIfItMust(t *testing.T) {
	t.Parallel()
	cfg := settings(t)
	away := meshtest.Listen(t) // Takes connections and never answers.
	cfg.Registry, cfg.Auth.JWKSURL = away.Addr().String(), "http://"+away.Addr().String()
	cfg.Telemetry.Zipkin = "http://" + away.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	err := mesh.Run(ctx, "event", cfg, func(ctx context.Context, app *mesh.App, _ mesh.Config) error {
		_, span := app.Traces.Tracer("test").Start(ctx, "never sent")
		span.End()
		cancel()
		return app.ServeGRPC(nothing)
	}, mesh.WithLog(io.Discard), mesh.WithListeners(meshtest.Listen(t), meshtest.Listen(t)))
	if err != nil {
		t.Error(err)
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(meshtest.Patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
