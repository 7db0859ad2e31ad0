package etcd

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"eventprospect/services/registry/internal/registry"
)

// announcement keeps a node announced.
type announcement struct {
	store *Store
	node  registry.Node
	term  time.Duration
	lease clientv3.LeaseID // zero: there is none
	// told: the node is announced by this lease; before: it was by an earlier one.
	told, before bool
	troubled     bool
}

// Announce implements registry.Store. The term counts in whole seconds, and is at least one and a half times etcd's election
// timeout. Announce stays through any outage.
func (s *Store) Announce(ctx context.Context, node registry.Node, term time.Duration) error {
	a := &announcement{store: s, node: node, term: term}
	for ctx.Err() == nil {
		pause(ctx, a.keepUp(ctx))
	}
	a.withdraw(ctx)
	return nil
}

// keepUp begins the lease or its term anew. It gives how long that is good for.
func (a *announcement) keepUp(ctx context.Context) time.Duration {
	err := a.tryKeepUp(ctx)
	switch {
	case err == nil:
		a.troubled = false
		return a.term / 3
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		a.lease, a.told = 0, false
		return 0
	case !a.troubled && ctx.Err() == nil:
		a.troubled = true
		a.store.log.Warn("this registry can't be announced to the others", "error", err)
	}
	return retryPause
}

func (a *announcement) tryKeepUp(ctx context.Context) error {
	client := a.store.client
	if a.lease == 0 {
		return a.begin(ctx)
	}
	if !a.told {
		return a.tell(ctx)
	}
	return a.store.call(ctx, func(ctx context.Context) error {
		_, err := client.KeepAliveOnce(ctx, a.lease)
		return err
	})
}

// begin gets a lease, and announces the node with it.
func (a *announcement) begin(ctx context.Context) error {
	err := a.store.call(ctx, func(ctx context.Context) error {
		granted, err := a.store.client.Grant(ctx, max(1, int64(a.term/time.Second)))
		if err == nil {
			a.lease = granted.ID
		}
		return err
	})
	if err != nil {
		return err
	}
	return a.tell(ctx)
}

// tell announces the node: the first time instead of whoever has its name, and later, when the lease was lost, unless another run
// has it now.
func (a *announcement) tell(ctx context.Context) error {
	value, err := encodeRun(a.node)
	if err != nil {
		return err
	}
	key := a.store.keys.node(a.node.Name)
	put := clientv3.OpPut(key, string(value), clientv3.WithLease(a.lease))
	err = a.store.call(ctx, func(ctx context.Context) error {
		txn := a.store.client.Txn(ctx)
		if !a.before {
			_, err := txn.Then(put).Commit()
			return err
		}
		free := clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
		ours := []clientv3.Cmp{clientv3.Compare(clientv3.Value(key), "=", string(value))}
		_, err := txn.If(free).Then(put).Else(clientv3.OpTxn(ours, []clientv3.Op{put}, nil)).Commit()
		return err
	})
	if err == nil {
		a.told, a.before = true, true
	}
	return err
}

// withdraw takes back what this lease announced; what another run has announced since is not its own.
func (a *announcement) withdraw(ended context.Context) {
	if a.lease == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ended), 2*attemptTimeout)
	defer cancel()
	_ = a.store.call(ctx, func(ctx context.Context) error { // it also ends by itself
		_, err := a.store.client.Revoke(ctx, a.lease)
		return err
	})
}
