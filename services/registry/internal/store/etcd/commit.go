package etcd

import (
	"bytes"
	"context"
	"crypto/rand"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

const (
	// maxBatch bounds the changes of one transaction: etcd takes 128 operations (--max-txn-ops), one of which is the nesting.
	maxBatch = 100
	// maxBytes bounds a transaction: etcd takes 1.5 MiB (--max-request-bytes).
	maxBytes = 1 << 20
	// maxHeld bounds the changes that wait for a later transaction than the next.
	maxHeld = 4 * maxBatch
)

// request is a change on its way.
type request struct {
	ctx    context.Context
	change registry.Change
	key    string
	value  []byte // nil: to be removed
	answer chan outcome
}

// outcome is what became of a change.
type outcome struct {
	err   error
	stale bool
	// revision is the one at which the record is as it was found: that of the record itself, or, if there is none, one
	// at which it was gone.
	revision int64
	gone     bool
}

func (s *Store) newRequest(change registry.Change) (*request, error) {
	r := &request{change: change, key: s.keys.instance(change.Key), answer: make(chan outcome, 1)}
	if change.Record == nil {
		return r, nil
	}
	var err error
	if r.value, err = encodeRecord(*change.Record, rand.Text()); err != nil {
		return nil, err
	}
	if size := r.size(); size > maxBytes {
		return nil, fault.New(fault.Exhausted, "the instance takes %d bytes, and at most %d can be stored: shorten its metadata", size, maxBytes)
	}
	return r, nil
}

// size is at least what the request adds to a transaction, in bytes: the key is compared, written and read.
func (r *request) size() int { return 3*len(r.key) + len(r.value) + 128 }

// commitAll carries out changes until the store stops: all that came while one transaction was under way share the next.
func (s *Store) commitAll() {
	var held []*request
	for {
		if len(held) == 0 {
			select {
			case r := <-s.queue:
				held = append(held, r)
			case <-s.stopped.Done():
				return
			}
		}
		var batch []*request
		batch, held = s.pick(s.queued(held))
		if len(batch) > 0 {
			s.carryOut(batch)
		}
		if s.stopped.Err() != nil {
			for _, r := range held {
				r.answer <- outcome{err: errClosed}
			}
			return
		}
	}
}

// queued adds the changes that wait now.
func (s *Store) queued(held []*request) []*request {
	for len(held) < maxHeld {
		select {
		case r := <-s.queue:
			held = append(held, r)
		default:
			return held
		}
	}
	return held
}

// pick takes the first changes that can share a transaction, which has one change of each record, and leaves the rest. Who
// has given up is forgotten; what can't succeed any more is answered.
func (s *Store) pick(held []*request) (batch, rest []*request) {
	taken, size := map[string]bool{}, 0
	for _, r := range held {
		seen, outdated := s.view.outdated(r.change)
		switch {
		case r.ctx.Err() != nil:
		case outdated:
			r.answer <- outcome{stale: true, revision: seen}
		case taken[r.key] || len(batch) == maxBatch || size+r.size() > maxBytes:
			taken[r.key] = true // what comes later of this record stays later
			rest = append(rest, r)
		default:
			taken[r.key] = true
			size += r.size()
			batch = append(batch, r)
		}
	}
	return batch, rest
}

// carryOut carries out changes in one transaction, in which each succeeds or not for itself.
func (s *Store) carryOut(batch []*request) {
	before := s.view.current()
	ops := make([]clientv3.Op, len(batch))
	for i, r := range batch {
		ops[i] = r.op(s.view.stands(r.change))
	}
	var resp *clientv3.TxnResponse
	attempts := 0
	err := s.call(s.stopped, func(ctx context.Context) (err error) {
		attempts++
		resp, err = s.client.Txn(ctx).Then(ops...).Commit()
		return err
	})
	if err != nil {
		for _, r := range batch {
			r.answer <- outcome{err: err}
		}
		return
	}
	revision := resp.Header.GetRevision()
	if revision < before {
		s.view.reset() // etcd is not the one that it was
	}
	var written []stored
	outcomes := make([]outcome, len(batch))
	for i, r := range batch {
		change := resp.Responses[i].GetResponseTxn()
		outcomes[i] = r.read(change, revision, attempts > 1)
		if change.GetSucceeded() && (r.value != nil || change.GetResponses()[0].GetResponseDeleteRange().GetDeleted() > 0) {
			written = append(written, stored{r.key, r.value, revision})
		}
	}
	s.view.advance(revision, written)
	for i, r := range batch {
		r.answer <- outcomes[i]
	}
}

// op makes the change if the record is at the known revision, and otherwise reads it.
func (r *request) op(known int64) clientv3.Op {
	write := clientv3.OpDelete(r.key)
	if r.value != nil {
		write = clientv3.OpPut(r.key, string(r.value))
	}
	return clientv3.OpTxn(
		[]clientv3.Cmp{clientv3.Compare(clientv3.ModRevision(r.key), "=", known)},
		[]clientv3.Op{write}, []clientv3.Op{clientv3.OpGet(r.key)},
	)
}

// read tells what became of the change. If it was tried before, and nobody knows with what success, the record tells who has
// written it; of one that is gone, it is all the same who has removed it.
func (r *request) read(change *pb.TxnResponse, revision int64, repeated bool) outcome {
	if change.GetSucceeded() {
		return outcome{revision: revision, gone: r.value == nil}
	}
	found := change.GetResponses()[0].GetResponseRange().GetKvs()
	if len(found) == 0 {
		return outcome{stale: !repeated || r.value != nil, revision: revision, gone: true}
	}
	ours := repeated && r.value != nil && bytes.Equal(found[0].GetValue(), r.value)
	return outcome{stale: !ours, revision: found[0].GetModRevision()}
}
