// Package etcd keeps what registries know in etcd: in a cluster of its own, or in this process.
//
// What is kept lies under one prefix. Service, ID and NAME are escaped as in a URL's path, so that none holds a slash:
//
//	PREFIX/instances/SERVICE/ID   a record, see record
//	PREFIX/nodes/NAME             the run of a registry, see run; gone with the registry's lease
//
// Other keys under the prefix are left alone. Records have no lease: who owns them decides when they go.
package etcd

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"

	"eventprospect/mesh/bounded"
	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// Store is a registry.Store in etcd.
type Store struct {
	client *clientv3.Client
	keys   keys
	view   *view
	log    *slog.Logger
	queue  chan *request // has no room: who waits can give up
	stop   context.CancelFunc
	// stopped is done when nothing is committed any more.
	stopped context.Context
	running sync.WaitGroup
	// server ends the etcd of this process, if there is one.
	server func()
	// watcher makes what one watch needs, and how to end that.
	watcher func() (clientv3.Watcher, func())
}

// newStore makes a store of a client, which it closes in the end.
func newStore(client *clientv3.Client, prefix string, log *slog.Logger, server func()) *Store {
	stopped, stop := context.WithCancel(context.Background())
	s := &Store{
		client: client, keys: keys{prefix}, log: log, server: server,
		queue: make(chan *request), stop: stop, stopped: stopped,
	}
	s.watcher = func() (clientv3.Watcher, func()) { return client.Watcher, func() {} }
	s.view = newView(s.keys, log)
	s.running.Go(s.commitAll)
	return s
}

// Commit implements registry.Store. It takes bounded.Timeout at most, and refuses what is larger than etcd takes with Exhausted. A change whose outcome can't be told in time fails with Unavailable or as the context does,
// and may be carried out all the same. One that was carried out unnoticed, and then overwritten by somebody else before that was
// found, is Stale.
func (s *Store) Commit(ctx context.Context, change registry.Change) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r, err := s.newRequest(change)
	if err != nil {
		return err
	}
	bound, cancel := context.WithTimeout(ctx, bounded.Timeout)
	defer cancel()
	r.ctx = bound
	out, err := s.submit(r)
	if err == nil {
		err = s.view.wait(bound, change.Key, out)
	}
	switch {
	case err != nil:
		return kind(ctx, err)
	case out.stale:
		return fault.Changed("Instance", change.Key.Service+"/"+change.Key.ID)
	}
	return nil
}

// submit hands a change to the committer and waits for its outcome.
func (s *Store) submit(r *request) (outcome, error) {
	select {
	case s.queue <- r:
	case <-r.ctx.Done():
		return outcome{}, r.ctx.Err()
	case <-s.stopped.Done():
		return outcome{}, errClosed
	}
	select {
	case out := <-r.answer:
		return out, out.err
	case <-r.ctx.Done():
		return outcome{}, r.ctx.Err()
	}
}

// Ping implements registry.Store: a majority of the cluster answers.
func (s *Store) Ping(ctx context.Context) error {
	return kind(ctx, s.call(ctx, func(ctx context.Context) error {
		_, err := s.client.Get(ctx, s.keys.all(), clientv3.WithKeysOnly(), clientv3.WithLimit(1))
		return err
	}))
}

// Close implements registry.Store.
func (s *Store) Close() error {
	s.stop()
	s.running.Wait()
	err := s.client.Close()
	if errors.Is(err, context.Canceled) {
		err = nil // that is how it says that it was closed
	}
	if s.server != nil {
		s.server()
	}
	return err
}
