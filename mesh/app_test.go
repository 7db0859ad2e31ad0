package mesh

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestACheckThatHangsDoesNotSpoilTheOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r readiness
		r.add("hangs", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		r.add("good", func(ctx context.Context) error { return ctx.Err() })
		before := time.Now()
		states, all := r.report(t.Context())
		if all || states["hangs"] != "not ready" || states["good"] != "ready" {
			t.Errorf("ready: %v, states: %v", all, states)
		}
		if took := time.Since(before); took != checkTimeout {
			t.Errorf("took %v, want %v", took, checkTimeout)
		}
	})
}

func TestAnActorThatDoesNotStopIsNamedAndLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := &App{config: Config{Stop: time.Minute}, failed: make(chan error, 1)}
		release := make(chan struct{})
		defer close(release)
		closed := false
		app.OnClose(func() error { closed = true; return nil })
		app.Go("consumer", func(context.Context) error { <-release; return nil })
		before := time.Now()
		err := app.unwind()
		if err == nil || !strings.Contains(err.Error(), "consumer: did not stop in time") {
			t.Errorf("error is %v", err)
		}
		if !closed {
			t.Error("what comes after it isn't closed")
		}
		if took := time.Since(before); took != time.Minute+grace {
			t.Errorf("took %v", took)
		}
	})
}

// When a part used up all the time, the others are cut off, but not called stuck.
func TestAnActorIsGivenAMomentEvenIfTheTimeIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		app := &App{config: Config{Stop: time.Second}, failed: make(chan error, 1)}
		app.Go("consumer", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(grace / 2)
			return nil
		})
		app.OnStop(func(ctx context.Context) error { <-ctx.Done(); return nil })
		if err := app.unwind(); err != nil {
			t.Errorf("error is %v", err)
		}
	})
}

func TestOnlyTheFirstFailureCounts(t *testing.T) {
	t.Parallel()
	app := &App{failed: make(chan error, 1)}
	first := errors.New("first")
	app.fail(first)
	app.fail(errors.New("second"))
	if err := app.wait(t.Context()); !errors.Is(err, first) {
		t.Errorf("got %v", err)
	}
}
