package registry_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

func TestCloseRemovesAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	s := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	wantIDs(t, next(t, w), "event/a")
	s.Close()
	wantIDs(t, next(t, w))
	wantIDs(t, r.List(""))
	s.Close()
	quiet(t, w)
}

func TestTheNewestSessionWins(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	older := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	before := next(t, w)
	newer := join(t, r, instance("event", "a"))
	quiet(t, w)
	if after := r.List("event")[0]; after.JoinTime != before[0].JoinTime || after.UpdateTime != after.JoinTime {
		t.Errorf("nothing changed, yet the times did: %v", after)
	}

	wantFault(t, older.Renew(), fault.AlreadyExists)
	wantFault(t, older.Put(t.Context(), instance("event", "a")), fault.AlreadyExists)
	older.Close()
	quiet(t, w)
	if err := newer.Renew(); err != nil {
		t.Fatal(err)
	}
	newer.Close()
	wantIDs(t, next(t, w))
}

func TestATakeoverWithOtherDataIsSeen(t *testing.T) {
	t.Parallel()
	r := start(t, settings())
	older := join(t, r, instance("event", "a"))
	w := watch(t, r, "event")
	next(t, w)
	moved := instance("event", "a")
	moved.Address = "elsewhere:1"
	join(t, r, moved)
	if got := next(t, w); len(got) != 1 || got[0].Address != "elsewhere:1" {
		t.Errorf("instances %v, want one, elsewhere", got)
	}
	older.Close()
	quiet(t, w)
	wantIDs(t, r.List("event"), "event/a")
}

func TestTheRegistrySetsTheTimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings())
		told := instance("event", "a")
		told.JoinTime, told.UpdateTime = time.Unix(1, 0), time.Unix(1, 0)
		began := time.Now()
		s := join(t, r, told)
		time.Sleep(time.Second)
		told.Zone = "z"
		put(t, s, told)
		got := r.List("")[0]
		if !got.JoinTime.Equal(began) || !got.UpdateTime.Equal(began.Add(time.Second)) || got.JoinTime.Location() != time.UTC {
			t.Errorf("joined %v, updated %v; want %v and a second later, in UTC", got.JoinTime, got.UpdateTime, began)
		}
	})
}

func TestSilenceForATermEndsTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := start(t, settings())
		silent, heard := join(t, r, instance("event", "silent")), join(t, r, instance("event", "heard"))
		nothing := open(t, r)
		began := time.Now()
		for time.Since(began) < 8*time.Second {
			time.Sleep(3 * time.Second)
			if err := heard.Renew(); err != nil {
				t.Fatal(err)
			}
		}
		wantIDs(t, r.List(""), "event/heard", "event/silent")
		for _, s := range []*registry.Session{silent, nothing} {
			<-s.Done()
			wantFault(t, s.Err(), fault.Timeout)
			wantFault(t, s.Renew(), fault.Timeout)
			s.Close()
		}
		synctest.Wait()
		if after := time.Since(began); after < 10*time.Second || after > 11*time.Second {
			t.Errorf("ended after %v, want 10s to 11s", after)
		}
		wantIDs(t, r.List(""), "event/heard")
		heard.Close()
	})
}

// A registry that is suspended hears nobody: when it goes on, it must not take everybody for dead.
func TestNoTermRunsOutWhileTheRegistryStandsStill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := registry.New(settings(), memory.New(), registry.Node{Name: "a", Run: "1"})
		s := join(t, r, instance("event", "a"))
		time.Sleep(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(9 * time.Second)
		wantIDs(t, r.List(""), "event/a")
		<-s.Done()
		synctest.Wait()
		wantIDs(t, r.List(""))
		cancel()
		<-ended
	})
}
