package inbox_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/inbox"
)

const keep = 24 * time.Hour

// asked is a store that notes when it is to forget messages, and of which time; it has two, or says why it can't.
type asked struct {
	event.Store
	at     []time.Time
	before time.Time
	err    error
}

func (s *asked) Forget(_ context.Context, before time.Time, _ int) (int, error) {
	s.at, s.before = append(s.at, time.Now()), before
	if s.err != nil {
		return 0, s.err
	}
	return 2, nil
}

// run runs a cleaner for so long, in the time of the bubble.
func run(t *testing.T, store *asked, long time.Duration) (log string) {
	t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	cleaner := inbox.New(event.NewService(store, nil, time.Now), keep, slog.New(slog.NewTextHandler(&out, nil)))
	if err := cleaner.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of the context", err)
	}
	return out.String()
}

func TestMessagesAreForgottenAtOnceAndThenAboutOnceAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began, store := time.Now(), &asked{}
		log := run(t, store, 100*time.Hour)
		if store.at[0] != began {
			t.Errorf("first after %v", store.at[0].Sub(began))
		}
		pauses := map[time.Duration]bool{}
		for i, at := range store.at[1:] {
			pause := at.Sub(store.at[i])
			pauses[pause] = true
			if pause < 30*time.Minute || pause > 90*time.Minute {
				t.Errorf("a pause of %v", pause)
			}
		}
		if len(pauses) < 2 || len(store.at) < 67 || len(store.at) > 201 {
			t.Errorf("%d times in 100 hours, with %d different pauses", len(store.at), len(pauses))
		}
		if last := store.at[len(store.at)-1]; !store.before.Equal(last.Add(-keep).Truncate(time.Microsecond)) {
			t.Errorf("at %v those before %v", last, store.before)
		}
		if !strings.Contains(log, `msg="old messages are forgotten" messages=2`) || strings.Contains(log, "level=WARN") {
			t.Error(log)
		}
	})
}

func TestWhatFailsIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &asked{err: fault.Away("the database", time.Second)}
		log := run(t, store, 2*time.Hour)
		if n := strings.Count(log, `msg="old messages are not forgotten"`); n != len(store.at) || n < 2 {
			t.Errorf("asked %d times, and the log says\n%s", len(store.at), log)
		}
	})
}
