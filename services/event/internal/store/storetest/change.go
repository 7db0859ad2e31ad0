package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
)

func wantFault(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("error %v, want a fault of kind %v", err, kind)
	}
}

func createTwice(t *testing.T, open func() Store) {
	s := opened(t, open)
	first := sample("a", 0)
	create(t, s, first)
	second := first
	second.Name = "another"
	wantFault(t, s.Create(t.Context(), second), fault.AlreadyExists)
	if diff := cmp.Diff(first, get(t, s, "a")); diff != "" {
		t.Error(diff)
	}
}

func updateMissing(t *testing.T, open func() Store) {
	s := opened(t, open)
	_, err := s.Update(t.Context(), "none", func(*event.Event) error {
		t.Error("a change was made to nothing")
		return nil
	})
	wantFault(t, err, fault.NotFound)
}

func updateErrorLeavesNothing(t *testing.T, open func() Store) {
	s := opened(t, open)
	want := sample("a", 0)
	create(t, s, want)
	refused := errors.New("refused")
	_, err := s.Update(t.Context(), "a", func(e *event.Event) error {
		e.Name = "changed"
		return refused
	})
	if !errors.Is(err, refused) {
		t.Fatalf("error %v, want the one of the change", err)
	}
	if diff := cmp.Diff(want, get(t, s, "a")); diff != "" {
		t.Error(diff)
	}
}

func updateConcurrentAllApply(t *testing.T, open func() Store) {
	const callers, each = 16, 25
	s := opened(t, open)
	create(t, s, sample("a", 0))
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				if _, err := s.Update(t.Context(), "a", func(e *event.Event) error { e.Version++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if got := get(t, s, "a").Version; got != 1+callers*each {
		t.Errorf("%d changes are left of %d", got-1, callers*each)
	}
}

func oneWinnerPerETag(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0))
	etag := get(t, s, "a").ETag()
	var winners atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := s.Update(t.Context(), "a", func(e *event.Event) error {
				if err := e.CheckETag(etag); err != nil {
					return err
				}
				e.Version++
				return nil
			})
			if err == nil {
				winners.Add(1)
			} else if !fault.Is(err, fault.Stale) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := winners.Load(); n != 1 {
		t.Errorf("%d changes won, want 1", n)
	}
}

func deleteMissing(t *testing.T, open func() Store) {
	s := opened(t, open)
	wantFault(t, s.Delete(t.Context(), "none", func(event.Event) error { return nil }), fault.NotFound)
}

func deleteRefusedLeavesIt(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0))
	refused := errors.New("refused")
	if err := s.Delete(t.Context(), "a", func(event.Event) error { return refused }); !errors.Is(err, refused) {
		t.Fatalf("error %v, want the one of the check", err)
	}
	get(t, s, "a")
	if err := s.Delete(t.Context(), "a", func(event.Event) error { return nil }); err != nil {
		t.Fatal(err)
	}
	_, err := s.Get(t.Context(), "a")
	wantFault(t, err, fault.NotFound)
}

func cancelledContext(t *testing.T, open func() Store) {
	s := opened(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Create(ctx, sample("a", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("create: error %v, want %v", err, context.Canceled)
	}
	if _, err := s.List(ctx, event.Query{Limit: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("list: error %v, want %v", err, context.Canceled)
	}
	_, err := s.Get(t.Context(), "a")
	wantFault(t, err, fault.NotFound)
}

func restartKeepsEverything(t *testing.T, open func() Store) {
	s := open()
	for i := range 20 {
		create(t, s, sample(fmt.Sprint("e", i), i))
	}
	if _, err := s.Apply(t.Context(), tells("m", sample("applied", 30))); err != nil {
		t.Fatal(err)
	}
	before, err := s.List(t.Context(), event.Query{Limit: 100})
	if err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	again := opened(t, open)
	after, err := again.List(t.Context(), event.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" || len(after) != 21 {
		t.Errorf("%d events after the restart: %s", len(after), diff)
	}
	wantApplied(t, again, 0, tells("m", sample("x", 40)))
}

// ReadOnly shows that a database that takes no changes, such as a standby, is Unavailable to them and readable; an engine
// says how to make it so.
func ReadOnly(t *testing.T, s Store, forbid func() Store) {
	create(t, s, sample("a", 0))
	s = forbid()
	_, err := s.Update(t.Context(), "a", func(e *event.Event) error { e.Name = "changed"; return nil })
	wantFault(t, err, fault.Unavailable)
	wantFault(t, s.Create(t.Context(), sample("b", 1)), fault.Unavailable)
	wantFault(t, s.Delete(t.Context(), "a", func(event.Event) error { return nil }), fault.Unavailable)
	_, err = s.Apply(t.Context(), tells("m", sample("c", 2)))
	wantFault(t, err, fault.Unavailable)
	_, err = s.Restore(t.Context(), tells("m", sample("c", 2)))
	wantFault(t, err, fault.Unavailable)
	_, err = s.Forget(t.Context(), now, 1)
	wantFault(t, err, fault.Unavailable)
	found, err := s.List(t.Context(), event.Query{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]event.Event{sample("a", 0)}, found); diff != "" {
		t.Error(diff)
	}
}
