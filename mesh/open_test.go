package mesh

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/telemetry"
)

// thing is a resource that tells what happened to it.
type thing struct {
	closed bool
	away   error
}

func (r *thing) Ping(context.Context) error { return r.away }
func (r *thing) Close() error               { r.closed = true; return nil }

func TestOpenWaitsForWhatIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := &App{Log: telemetry.NewLog(io.Discard, "test", 0)}
		app.config.Stop = time.Second
		var at []time.Duration
		began := time.Now()
		resource := &thing{}
		got, err := Open(t.Context(), app, "store", func(ctx context.Context) (*thing, error) {
			if _, all := app.ready.report(ctx); all {
				t.Error("ready before it is open")
			}
			if at = append(at, time.Since(began)); len(at) < 8 {
				return nil, fault.Away("the database", time.Second)
			}
			return resource, nil
		})
		if err != nil || got != resource {
			t.Fatalf("%v, error %v", got, err)
		}
		const ms = time.Millisecond
		if want := []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 5100 * ms, 7100 * ms}; !slices.Equal(at, want) {
			t.Errorf("tried after %v, want %v", at, want)
		}
		if _, all := app.ready.report(t.Context()); !all {
			t.Error("not ready")
		}
		resource.away = errors.New("away")
		if states, all := app.ready.report(t.Context()); all || states["store"] != "not ready" {
			t.Errorf("ready: %v", states)
		}
		if err := app.unwind(); err != nil || !resource.closed {
			t.Errorf("closed: %v, error %v", resource.closed, err)
		}
	})
}

func TestOpenGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := &App{Log: telemetry.NewLog(io.Discard, "test", 0)}
		wrong := errors.New("wrong password")
		tries := 0
		if _, err := Open(t.Context(), app, "store", func(context.Context) (*thing, error) { tries++; return nil, wrong }); !errors.Is(err, wrong) || tries != 1 {
			t.Errorf("error %v after %d tries, want the first", err, tries)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := Open(ctx, app, "store", func(context.Context) (*thing, error) { return nil, fault.Away("the database", time.Second) })
		if err == nil || time.Since(began) != 150*time.Millisecond {
			t.Errorf("error %v after %v, want one when the context ends", err, time.Since(began))
		}
	})
}
