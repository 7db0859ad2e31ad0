package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/storetest"
)

// TestClusterStore has all registries of the suite in one cluster, so that most revisions are others'.
func TestClusterStore(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	engine := func(*testing.T) func() registry.Store {
		address := c.address()
		return func() registry.Store { return c.open(address) }
	}
	storetest.Run(t, engine)
	storetest.Durable(t, engine)
}

// TestAMemberLess: when the leader dies, every change is carried out, at most a little later, and seen by all.
func TestAMemberLess(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	address := c.address()
	a, b := c.opened(address), c.opened(address)
	storetest.Follow(t, a)
	seen, _ := storetest.Follow(t, b)
	w := write(t, a)
	w.more(20)
	for range 2 {
		gone := c.leader()
		gone.kill()
		w.more(20)
		gone.start()
		gone.ready(c.admin)
		w.more(20)
	}
	w.stop()
	create(t, a, "last")
	seen.UntilKnows("last")
	if got, want := len(seen.All()), int(w.written())+1; got != want {
		t.Errorf("the other registry knows %d, want %d", got, want)
	}
}

// TestAHungMember: so it is with members that take requests but don't answer.
func TestAHungMember(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	address := c.address()
	a, b := c.opened(address), c.opened(address)
	storetest.Follow(t, a)
	seen, _ := storetest.Follow(t, b)
	w := write(t, a)
	w.more(20)
	for i, m := range c.members {
		m.line.freeze()
		w.more(5)
		create(t, b, fmt.Sprint("b", i))
		m.line.thaw()
	}
	w.stop()
	create(t, a, "last")
	seen.UntilKnows("last")
}

// TestNoMajority: without one, who asks is told in time; when it is back, all goes on.
func TestNoMajority(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3)
	s := c.opened(c.address())
	seen, _ := storetest.Follow(t, s)
	create(t, s, "before")
	for _, m := range c.members[:2] {
		m.kill()
	}
	record := storetest.Sample("during")
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Commit(t.Context(), registry.Change{Key: storetest.Key("during"), Record: &record}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("commit: error %v, want Unavailable", err)
		}
	})
	all.Go(func() {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := s.Commit(ctx, registry.Change{Key: storetest.Key("short"), Record: &record}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("commit with little time: error %v, want its end", err)
		}
	})
	all.Go(func() {
		if err := s.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("ping: error %v, want Unavailable", err)
		}
	})
	all.Go(func() {
		if _, err := Connect(t.Context(), c.address(), nil, quiet()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("connect: error %v, want Unavailable", err)
		}
	})
	all.Wait()
	for _, m := range c.members[:2] {
		m.start()
	}
	create(t, s, "after")
	seen.Must("before")
	seen.Must("after")
	if n := seen.Loads(); n != 1 {
		t.Errorf("it was loaded %d times: nothing was lost", n)
	}
}

// writer writes one record after the other.
type writer struct {
	wrote   chan struct{}
	end     chan struct{}
	count   int64
	running sync.WaitGroup
}

// write writes until the writer is stopped. Any error but Unavailable, which a starved machine may bring about, fails the test.
func write(t *testing.T, s *Store) *writer {
	w := &writer{wrote: make(chan struct{}), end: make(chan struct{})}
	w.running.Go(func() {
		for {
			create(t, s, fmt.Sprint("w", w.count))
			w.count++
			select {
			case w.wrote <- struct{}{}:
			case <-w.end:
				return
			}
		}
	})
	return w
}

// more waits until so many more are written.
func (w *writer) more(n int) {
	for range n {
		<-w.wrote
	}
}

func (w *writer) stop() {
	close(w.end)
	w.running.Wait()
}

func (w *writer) written() int64 { return w.count }

// create stores a new record; an outage may be just over, and have hidden that it was stored.
func create(t *testing.T, s *Store, id string) {
	t.Helper()
	record := storetest.Sample(id)
	for tries := 1; ; tries++ {
		err := s.Commit(t.Context(), registry.Change{Key: record.Instance.Key, Record: &record})
		if err == nil || tries > 1 && fault.Is(err, fault.Stale) {
			return
		}
		if !fault.Is(err, fault.Unavailable) {
			t.Error(err)
			return
		}
	}
}
