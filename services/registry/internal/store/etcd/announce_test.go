package etcd

import (
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/storetest"
)

// keepUp keeps an announcement up once, which must work.
func keepUp(t *testing.T, a *announcement) {
	t.Helper()
	if err := a.tryKeepUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// lose ends the lease of an announcement as if etcd had not heard from the node; the next time that is found out.
func lose(t *testing.T, a *announcement) {
	t.Helper()
	if _, err := a.store.client.Revoke(t.Context(), a.lease); err != nil {
		t.Fatal(err)
	}
	if wait := a.keepUp(t.Context()); wait != 0 {
		t.Errorf("it waits for %v to announce the node again", wait)
	}
}

// TestADeadNodeIsSilent: of a node that says nothing any more it is known, but not of one that goes on.
func TestADeadNodeIsSilent(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	seen, _ := storetest.Follow(t, b)
	dead := &announcement{store: a, node: registry.Node{Name: "dead", Run: "1"}, term: time.Second}
	alive := &announcement{store: a, node: registry.Node{Name: "alive", Run: "1"}, term: time.Second}
	keepUp(t, dead)
	keepUp(t, alive)
	seen.UntilNode("dead", "1")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		seen.UntilNode("dead", "")
	}()
	for {
		keepUp(t, alive)
		select {
		case <-gone:
			seen.UntilNode("alive", "1")
			return
		case <-time.After(alive.term / 3):
		}
	}
}

func TestALostLeaseIsReplaced(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	seen, _ := storetest.Follow(t, b)
	n := &announcement{store: a, node: registry.Node{Name: "n", Run: "1"}, term: time.Minute}
	keepUp(t, n)
	seen.UntilNode("n", "1")
	lose(t, n)
	seen.UntilNode("n", "")
	keepUp(t, n)
	seen.UntilNode("n", "1")
	n.withdraw(t.Context())
	seen.UntilNode("n", "")
}

// TestAReplacedRunStaysReplaced: who has lost its lease and its name doesn't take the name back.
func TestAReplacedRunStaysReplaced(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	former := &announcement{store: a, node: registry.Node{Name: "n", Run: "old"}, term: time.Minute}
	later := &announcement{store: b, node: registry.Node{Name: "n", Run: "new"}, term: time.Minute}
	keepUp(t, former)
	keepUp(t, later)
	lose(t, former)
	keepUp(t, former)
	seen, _ := storetest.Follow(t, b)
	seen.UntilNode("n", "new")
	former.withdraw(t.Context())
	left, err := b.client.Get(t.Context(), b.keys.node("n"), clientv3.WithCountOnly())
	if err != nil || left.Count != 1 {
		t.Errorf("the new run's announcement is gone; error %v", err)
	}
}
