package deadletter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// How many records, and how many bytes of values, are replayed before they are marked. After a crash they may be replayed again.
const (
	batchRecords = 500
	batchBytes   = 8 << 20
)

// Outcome is what came of a replay or a discarding.
type Outcome struct {
	// Done is how many records are handled, which is kept.
	Done int
	// Left are those that stay as they are.
	Left []Left
	// Undeleted says why what is handled is still there, if it is: it is marked, and no longer open, all the same.
	Undeleted error
}

// Left is a record that couldn't be handled, and why.
type Left struct {
	Place Place
	Why   error
}

// String writes the place and the reason.
func (l Left) String() string { return fmt.Sprintf("%v: %v", l.Place, l.Why) }

// handle does with some records what is to be done. It returns those with which that succeeded and those for which it is
// impossible; an error says that no others need be tried.
type handle func(ctx context.Context, letters []*Letter) (done []*Letter, left []Left, err error)

// Discard marks the open records that the filter lets through as handled. What is marked at the beginning of a partition is
// deleted. Progress, if not nil, is told how many more are done.
func (v *View) Discard(ctx context.Context, filter Filter, progress func(int)) (Outcome, error) {
	return v.settle(ctx, filter, Discarded, progress, func(_ context.Context, letters []*Letter) ([]*Letter, []Left, error) {
		return letters, nil, nil
	})
}

// settle handles records in batches, and deletes what is handled. What somebody else has handled meanwhile is left out.
func (v *View) settle(ctx context.Context, filter Filter, how string, progress func(int), do handle) (Outcome, error) {
	var outcome Outcome
	if err := v.refresh(ctx); err != nil {
		return outcome, err
	}
	var batch []*Letter
	size := 0
	flush := func() error {
		// What is replayed should also be marked, even if the operator wants to stop.
		done, left, err := do(context.WithoutCancel(ctx), batch)
		outcome.Left = append(outcome.Left, left...)
		if failed := v.queue.mark(context.WithoutCancel(ctx), done, how); failed != nil {
			return errors.Join(err, fmt.Errorf("%d records were %s and are not marked as such: a repetition does no harm: %w", len(done), how, failed))
		}
		outcome.Done += len(done)
		if progress != nil {
			progress(len(done) + len(left))
		}
		batch, size = nil, 0
		return err
	}
	err := v.Each(ctx, filter, func(l *Letter) error {
		batch, size = append(batch, l), size+len(l.Value)
		if len(batch) < batchRecords && size < batchBytes {
			return nil
		}
		return flush()
	})
	if err == nil && len(batch) > 0 {
		err = flush()
	}
	if outcome.Done > 0 && ctx.Err() == nil {
		outcome.Undeleted = v.trim(ctx)
	}
	return outcome, err
}

// mark writes one marker for each partition.
func (q *Queue) mark(ctx context.Context, done []*Letter, how string) error {
	handled := map[int32]offsets{}
	for _, l := range done {
		handled[l.Partition] = handled[l.Partition].add(one(l.Offset))
	}
	var marked kgo.FirstErrPromise
	for number, some := range handled {
		q.client.Produce(ctx, newMarker(q.dlq, number, some, how, time.Now()), marked.Promise())
	}
	_ = q.client.Flush(ctx)
	return refused(q.dlq, marked.Err())
}

// trim deletes, from each partition, what comes before its first open record: handled ones and markers, which mark only what was
// before them.
func (v *View) trim(ctx context.Context) error {
	if err := v.refresh(ctx); err != nil {
		return err
	}
	before := kadm.Offsets{}
	for number, p := range v.partitions {
		end, open := p.letters.firstWithout(p.handled)
		if !open {
			end = p.known
		}
		if end > p.seen.From {
			before.Add(kadm.Offset{Topic: v.queue.dlq, Partition: number, At: end})
		}
	}
	if len(before) == 0 {
		return nil
	}
	answers, err := v.queue.admin.DeleteRecords(ctx, before)
	if err == nil {
		err = answers.Error()
	}
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return fmt.Errorf("this user has no right to DELETE on topic %s", v.queue.dlq)
	}
	return err
}
