package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
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
	if err := s.Create(t.Context(), first, message("a", "m1")); err != nil {
		t.Fatal(err)
	}
	second := first
	second.FirstName = "another"
	wantFault(t, s.Create(t.Context(), second, message("a", "m2")), fault.AlreadyExists)
	if diff := cmp.Diff(first, get(t, s, "a")); diff != "" {
		t.Error(diff)
	}
	wantWaiting(t, s, "m1")
}

func updateMissing(t *testing.T, open func() Store) {
	s := opened(t, open)
	_, err := s.Update(t.Context(), "none", func(*prospect.Prospect) ([]outbox.Message, error) {
		t.Error("a change was made to nothing")
		return []outbox.Message{message("none", "m")}, nil
	})
	wantFault(t, err, fault.NotFound)
	wantWaiting(t, s)
}

func updateErrorLeavesNothing(t *testing.T, open func() Store) {
	s := opened(t, open)
	want := sample("a", 0)
	create(t, s, want)
	refused := errors.New("refused")
	_, err := s.Update(t.Context(), "a", func(p *prospect.Prospect) ([]outbox.Message, error) {
		p.FirstName = "changed"
		return []outbox.Message{message("a", "m")}, refused
	})
	if !errors.Is(err, refused) {
		t.Fatalf("error %v, want the one of the change", err)
	}
	if diff := cmp.Diff(want, get(t, s, "a")); diff != "" {
		t.Error(diff)
	}
	wantWaiting(t, s)
}

func updateConcurrentAllApply(t *testing.T, open func() Store) {
	const callers, each = 16, 25
	s := opened(t, open)
	create(t, s, sample("a", 0))
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				if _, err := s.Update(t.Context(), "a", change("changed")); err != nil {
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
			_, err := s.Update(t.Context(), "a", func(p *prospect.Prospect) ([]outbox.Message, error) {
				if err := p.CheckETag(etag); err != nil {
					return nil, err
				}
				p.Version++
				return nil, nil
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
	wantFault(t, s.Delete(t.Context(), "none", remove(message("none", "m"))), fault.NotFound)
	wantWaiting(t, s)
}

func deleteRefusedLeavesIt(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0))
	refused := errors.New("refused")
	err := s.Delete(t.Context(), "a", func(prospect.Prospect) ([]outbox.Message, error) {
		return []outbox.Message{message("a", "m")}, refused
	})
	if !errors.Is(err, refused) {
		t.Fatalf("error %v, want the one of the check", err)
	}
	get(t, s, "a")
	wantWaiting(t, s)
	if err := s.Delete(t.Context(), "a", remove()); err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), "a")
	wantFault(t, err, fault.NotFound)
}

func cancelledContext(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("k", "m"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func() error{
		"create": func() error { return s.Create(ctx, sample("a", 0), message("a", "n")) },
		"list":   func() error { _, err := s.List(ctx, prospect.Query{Limit: 1}); return err },
		"count":  func() error { _, err := s.Count(ctx, prospect.Filter{}); return err },
		"claim":  func() error { _, err := s.Claim(ctx, "relay", 1, lease); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want %v", name, err, context.Canceled)
		}
	}
	_, err := s.Get(t.Context(), "a")
	wantFault(t, err, fault.NotFound)
	wantWaiting(t, s, "m")
}
