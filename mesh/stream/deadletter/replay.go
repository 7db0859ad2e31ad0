package deadletter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/stream"
)

// Replay says how records are put back on their topic.
type Replay struct {
	// AnyTopic replays also what was on another topic than the one of the queue.
	AnyTopic bool
	// Edit, if not nil, gives another value for a record, or none to replay its own. An error leaves the record as it is.
	Edit func(*Letter) ([]byte, error)
	// Progress, if not nil, is told how many more are done.
	Progress func(int)
}

// Replay puts the open records that the filter lets through back on the topic where they were, as they were there, and marks
// them as handled: in the order of the DLQ, which is that of each key. What is marked at the beginning of a partition is
// deleted. After a crash a record may be replayed again, which the inbox of its consumer passes over. A traceparent stays, so
// that what becomes of the record belongs to the trace in which it was first published.
func (v *View) Replay(ctx context.Context, filter Filter, how Replay) (Outcome, error) {
	return v.settle(ctx, filter, Replayed, how.Progress, func(ctx context.Context, letters []*Letter) ([]*Letter, []Left, error) {
		return v.queue.replay(ctx, letters, how)
	})
}

// attempt is the replay of one record.
type attempt struct {
	*Letter
	record     *kgo.Record // none if it can't be put together
	err        error
	impossible bool
}

// replay publishes records. After one that couldn't be sent no others of its partition are.
func (q *Queue) replay(ctx context.Context, letters []*Letter, how Replay) (done []*Letter, left []Left, failed error) {
	all := make([]*attempt, len(letters))
	for i, l := range letters {
		record, err := q.original(ctx, l, how)
		all[i] = &attempt{l, record, err, err != nil}
	}
	q.publish(ctx, all)
	for _, a := range all {
		switch {
		case a.err == nil:
			done = append(done, a.Letter)
		case a.impossible:
			left = append(left, Left{a.Place, a.err})
		default:
			failed = fmt.Errorf("record %v was not replayed: %w", a.Place, refused(a.Topic, a.err))
		}
	}
	return done, left, failed
}

// publish sends records. The first of each topic goes alone: a client that doesn't know the partitions yet sends a record while those after
// it still wait for theirs, and if it fails, they are sent nevertheless.
func (q *Queue) publish(ctx context.Context, all []*attempt) {
	var failed error
	begin, known := 0, map[string]bool{}
	upTo := func(end int) { begin, failed = end, q.send(ctx, all[begin:end], failed) }
	for i, a := range all {
		if a.record != nil && !known[a.record.Topic] {
			known[a.record.Topic] = true
			upTo(i)
			upTo(i + 1)
		}
	}
	upTo(len(all))
}

// send has Kafka take records, if nothing failed before. The client keeps the order of those of a partition, and gives up all that come after
// one that it gives up.
func (q *Queue) send(ctx context.Context, some []*attempt, failed error) error {
	var acks sync.WaitGroup
	for _, a := range some {
		switch {
		case a.record == nil:
			continue
		case failed != nil:
			a.err = failed
			continue
		}
		acks.Add(1)
		q.client.Produce(q.traces.WithTraceparent(ctx, a.Header("traceparent")), a.record, func(_ *kgo.Record, err error) {
			a.err, a.impossible = err, errors.Is(err, kerr.MessageTooLarge)
			acks.Done()
		})
	}
	_ = q.client.Flush(ctx)
	acks.Wait()
	for _, a := range some {
		if a.err != nil && !a.impossible {
			failed = a.err
		}
	}
	return failed
}

// refused names the right that is missing, if that is why a record wasn't taken. Without a right to write anywhere, a client isn't
// even let begin.
func refused(topic string, err error) error {
	if errors.Is(err, kerr.TopicAuthorizationFailed) || errors.Is(err, kerr.ClusterAuthorizationFailed) {
		return fmt.Errorf("this user has no right to WRITE on topic %s: %w", topic, err)
	}
	return err
}

// original makes the record that was on the topic, and says that it was replayed.
func (q *Queue) original(ctx context.Context, l *Letter, how Replay) (*kgo.Record, error) {
	switch {
	case l.Topic == "":
		return nil, errors.New("it doesn't say on which topic it was")
	case l.Topic != q.topic && !how.AnyTopic:
		return nil, fmt.Errorf("it was on the topic %q", l.Topic)
	}
	record := &kgo.Record{Topic: l.Topic, Key: l.Key, Value: l.Value, Headers: l.Headers}
	var edited []byte
	if how.Edit != nil {
		var err error
		if edited, err = how.Edit(l); err != nil {
			return nil, err
		}
	}
	// Also a corrected record needs its key, which keeps it in order.
	if l.LeftOut() && (len(edited) == 0 || l.bare()) {
		was, err := q.find(ctx, l)
		switch {
		case err == nil:
			record.Key, record.Value, record.Headers = was.Key, was.Value, own(was.Headers)
		case len(edited) == 0 || !errors.Is(err, errLost):
			return nil, err
		}
	}
	if len(edited) > 0 {
		record.Value = edited
	}
	replayed := kgo.RecordHeader{Key: stream.HeaderReplayed, Value: time.Now().UTC().AppendFormat(nil, time.RFC3339)}
	record.Headers = append(slices.Clone(record.Headers), replayed)
	return record, nil
}

// errLost says that a record can't be put together any more.
var errLost = errors.New("its value was left out, for its size, and is no longer where it was")

// find reads the record where it was, if it is still there. The topic may be another one of the same name by now.
func (q *Queue) find(ctx context.Context, l *Letter) (*kgo.Record, error) {
	if l.Original == nil {
		return nil, errLost
	}
	var found *kgo.Record
	at := stream.Range{From: l.Original.Offset, To: l.Original.Offset + 1}
	err := q.reader.Read(ctx, l.Topic, l.Original.Partition, at, func(r *kgo.Record) error {
		found = r
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("its value was left out, for its size, and can't be read where it was: %w", err)
	case found == nil, !l.bare() && string(found.Key) != string(l.Key), !found.Timestamp.Equal(l.Time):
		return nil, errLost
	}
	return found, nil
}
