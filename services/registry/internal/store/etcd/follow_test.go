package etcd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/storetest"
)

// pair opens two stores on one etcd of this process for the time of the test.
func pair(t *testing.T) (a, b *Store) {
	open := embedded(t)
	a, b = open().(*Store), open().(*Store)
	closeLater(t, a)
	closeLater(t, b)
	return a, b
}

// gate is a Watcher that watches nothing while it is shut.
type gate struct {
	clientv3.Watcher
	open chan struct{}
}

func (g gate) Watch(ctx context.Context, key string, opts ...clientv3.OpOption) clientv3.WatchChan {
	select {
	case <-g.open:
		return g.Watcher.Watch(ctx, key, opts...)
	case <-ctx.Done():
		none := make(chan clientv3.WatchResponse)
		close(none)
		return none
	}
}

// TestWhatWasCompactedIsLoaded: who has missed more than etcd remembers is told everything.
func TestWhatWasCompactedIsLoaded(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	create(t, b, "before")
	shut := gate{a.client.Watcher, make(chan struct{})}
	a.client.Watcher = shut
	seen, _ := storetest.Follow(t, a)
	record := seen.Must("before")
	if err := b.Commit(t.Context(), registry.Change{Key: storetest.Key("before"), Known: record.Revision}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3"} {
		create(t, b, id)
	}
	all, err := b.client.Get(t.Context(), b.keys.all(), clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.client.Compact(t.Context(), all.Header.GetRevision()); err != nil {
		t.Fatal(err)
	}
	close(shut.open)
	seen.UntilKnows("3")
	if n := seen.Loads(); n != 2 {
		t.Errorf("it was loaded %d times, want 2", n)
	}
	if _, ok := seen.Get("before"); ok {
		t.Error("it still knows what was removed")
	}
	create(t, a, "after")
	seen.Must("after")
}

// TestAnotherEtcd: a cluster that was set up anew, or restored from a backup, begins with smaller revisions.
func TestAnotherEtcd(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := c.opened(c.address())
	seen, _ := storetest.Follow(t, s)
	for _, id := range []string{"1", "2", "3"} {
		create(t, s, id)
	}
	c.members[0].kill()
	c.members[0].Folder = t.TempDir()
	c.members[0].start()
	create(t, s, "new")
	seen.Must("new")
	if _, ok := seen.Get("1"); ok || seen.Loads() != 2 {
		t.Errorf("loaded %d times; it still knows what is lost: %v", seen.Loads(), ok)
	}
}

// TestUnreadableRecordsCountAsAbsent: they are told of once, and replaced by who registers their instance.
func TestUnreadableRecordsCountAsAbsent(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	var log bytes.Buffer
	a.view.log = slog.New(slog.NewTextHandler(&log, nil))
	create(t, b, "spoilt")
	put := func(key, value string) {
		t.Helper()
		if _, err := b.client.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	put(a.keys.instances()+"event/a", "{")
	put(a.keys.instances()+"event/newer", `{"v":2}`)
	put(a.keys.instances()+"event", `{"v":1}`)
	put(a.keys.nodes()+"n", `no`)
	put(a.keys.all()+"something/else", `no`)
	seen, _ := storetest.Follow(t, a)
	seen.Must("spoilt")
	put(a.keys.instance(storetest.Key("spoilt")), `[]`)
	create(t, b, "last")
	seen.UntilKnows("last")
	if n := len(seen.All()); n != 1 {
		t.Errorf("it knows %d records, want the last one", n)
	}
	for _, id := range []string{"a", "newer", "spoilt"} {
		create(t, a, id)
		seen.Must(id)
	}
	if n := strings.Count(log.String(), "unreadable"); n != 1 {
		t.Errorf("it was logged %d times: %s", n, log.String())
	}
}

// forgetful is a KV whose answers to changes get lost.
type forgetful struct {
	clientv3.KV
	losses int
}

func (f *forgetful) Txn(ctx context.Context) clientv3.Txn { return &forgetfulTxn{f.KV.Txn(ctx), f} }

type forgetfulTxn struct {
	clientv3.Txn
	kv *forgetful
}

func (t *forgetfulTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	t.Txn = t.Txn.Then(ops...)
	return t
}

func (t *forgetfulTxn) Commit() (*clientv3.TxnResponse, error) {
	resp, err := t.Txn.Commit()
	if t.kv.losses > 0 {
		t.kv.losses--
		return nil, errors.New("the connection broke")
	}
	return resp, err
}

// TestALostAnswer: a change that was carried out, but of which the answer got lost, succeeds, and is told once.
func TestALostAnswer(t *testing.T) {
	t.Parallel()
	s, other := pair(t)
	seen, _ := storetest.Follow(t, s)
	lossy := &forgetful{KV: s.client.KV}
	s.client.KV = lossy
	lossy.losses = 2
	create(t, s, "a")
	first := seen.Must("a")
	lossy.losses = 1
	if err := s.Commit(t.Context(), registry.Change{Key: storetest.Key("a"), Known: first.Revision}); err != nil {
		t.Errorf("remove: %v", err)
	}
	create(t, other, "b")
	seen.UntilKnows("b")
	lossy.losses = 1
	again := storetest.Sample("b")
	if err := s.Commit(t.Context(), registry.Change{Key: storetest.Key("b"), Record: &again}); err == nil {
		t.Error("a change that is like another's succeeded, too")
	}
	lossy.losses = 1
	changed := storetest.Sample("b")
	changed.Instance.Zone = "other"
	if err := s.Commit(t.Context(), registry.Change{Key: storetest.Key("b"), Record: &changed}); err == nil {
		t.Error("a change of what another has written succeeded")
	}
	if seen.Must("b").Instance.Zone == "other" {
		t.Error("it was stored")
	}
}

// TestALateWatchDoesNotHoldUp: while the watch tells nothing, a change that follows on what is known is seen at once, and another one in time.
func TestALateWatchDoesNotHoldUp(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	shut := gate{a.client.Watcher, make(chan struct{})}
	a.client.Watcher = shut
	seen, _ := storetest.Follow(t, a)
	create(t, a, "own")
	seen.Must("own")
	create(t, b, "others")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	record := storetest.Sample("a")
	if err := a.Commit(ctx, registry.Change{Key: storetest.Key("a"), Record: &record}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of the time: the follower has not seen it", err)
	}
	close(shut.open)
	seen.UntilKnows("a")
	if n := seen.Loads(); n != 1 {
		t.Errorf("it was loaded %d times", n)
	}
}

// TestClosedStore: nobody waits for a store that is closed.
func TestClosedStore(t *testing.T) {
	t.Parallel()
	server, err := serve(t.Context(), t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(v3client.New(server.Server), defaultPrefix, quiet(), server.Close)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	record := storetest.Sample("a")
	if err := s.Commit(t.Context(), registry.Change{Key: storetest.Key("a"), Record: &record}); err == nil {
		t.Error("a change succeeded")
	}
}

// TestTooLargeARecord: it is refused at once, and hinders nobody.
func TestTooLargeARecord(t *testing.T) {
	t.Parallel()
	s, _ := pair(t)
	record := storetest.Sample("a")
	record.Instance.Zone = strings.Repeat("z", maxBytes)
	err := s.Commit(t.Context(), registry.Change{Key: storetest.Key("a"), Record: &record})
	if !fault.Is(err, fault.Exhausted) {
		t.Errorf("error %v, want Exhausted", err)
	}
	create(t, s, "b")
}

// TestWhoStoppedFollowingForgets: what a former follower could not read says nothing later.
func TestWhoStoppedFollowingForgets(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	key := a.keys.instance(storetest.Key("a"))
	if _, err := b.client.Put(t.Context(), key, "{"); err != nil {
		t.Fatal(err)
	}
	_, end := storetest.Follow(t, a)
	end()
	if _, err := b.client.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	create(t, a, "a")
}
