package etcd

import (
	"context"
	"errors"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"eventprospect/services/registry/internal/registry"
)

// pageSize bounds the keys that are read at once.
const pageSize = 500

// errLost says that the follower must be loaded anew: what it knows can't be continued.
var errLost = errors.New("what was known is not what is stored")

// Follow implements registry.Store. It also stays if etcd refuses it, for want of a permission.
func (s *Store) Follow(ctx context.Context, follower registry.Follower) error {
	s.view.begin(follower)
	defer s.view.begin(nil)
	for away := false; ctx.Err() == nil; pause(ctx, retryPause) {
		err := s.follow(ctx)
		if !away && !lost(err) && ctx.Err() == nil {
			s.log.Warn("the registry's store can't be read", "error", err)
		}
		away = !lost(err)
	}
	return nil
}

// lost tells whether the follower must be loaded anew, because what is watched has no connection any more to what it knows.
func lost(err error) bool { return errors.Is(err, errLost) || errors.Is(err, rpctypes.ErrCompacted) }

// follow loads the follower and watches until that is lost.
func (s *Store) follow(ctx context.Context) error {
	s.view.unload()
	all, revision, err := s.readAll(ctx)
	if err != nil {
		return err
	}
	s.view.load(all, revision)
	for {
		err := s.watch(ctx)
		if ctx.Err() != nil || lost(err) {
			return err
		}
		pause(ctx, retryPause)
	}
}

// readAll gives all that is stored at one revision.
func (s *Store) readAll(ctx context.Context) (all []stored, revision int64, err error) {
	from := s.keys.all()
	end := clientv3.GetPrefixRangeEnd(from)
	for {
		var page *clientv3.GetResponse
		err := s.call(ctx, func(ctx context.Context) (err error) {
			page, err = s.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(pageSize), clientv3.WithRev(revision))
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		if revision == 0 {
			revision = page.Header.GetRevision()
		}
		for _, kv := range page.Kvs {
			all = append(all, stored{string(kv.GetKey()), kv.GetValue(), kv.GetModRevision()})
		}
		if !page.More {
			return all, revision, nil
		}
		from = all[len(all)-1].key + "\x00" // the next one
	}
}

// watch tells the follower of every change from the next one on, until the watch ends. Only a member that has a leader is watched.
func (s *Store) watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	next, ok := s.view.watching(cancel)
	if !ok {
		return errLost
	}
	watcher, end := s.watcher()
	defer end()
	for resp := range watcher.Watch(ctx, s.keys.all(), clientv3.WithPrefix(), clientv3.WithRev(next), clientv3.WithFragment()) {
		if err := resp.Err(); err != nil {
			return err
		}
		if !s.tell(resp.Events) {
			return errLost
		}
	}
	return ctx.Err()
}

// tell tells the follower of changes, revision by revision; all of one revision come together.
func (s *Store) tell(events []*clientv3.Event) bool {
	var changes []stored
	for i, e := range events {
		c := stored{key: string(e.GetKv().GetKey()), revision: e.GetKv().GetModRevision()}
		if e.GetType() == mvccpb.Event_PUT {
			c.value = e.GetKv().GetValue()
		}
		changes = append(changes, c)
		if i+1 < len(events) && events[i+1].GetKv().GetModRevision() == c.revision {
			continue
		}
		if !s.view.apply(changes, c.revision) {
			return false
		}
		changes = nil
	}
	return true
}
