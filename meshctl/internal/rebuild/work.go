package rebuild

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/message"
	"eventprospect/meshctl/internal/session"
)

const (
	// maxBatch is how many messages the contract takes at once, maxBytes keeps them below what gRPC takes.
	maxBatch = 1000
	maxBytes = 1 << 20
	// maxNamed is how many unreadable records are named; all are counted.
	maxNamed = 10
)

// work is a rebuild under way.
type work struct {
	session *session.Session
	reader  *stream.Reader
	sender  sender
	// todo is what is still to be done of each partition: what is before it has been sent.
	todo   map[int32]stream.Range
	until  *session.Moment
	result Result

	batch []found
	bytes int
}

// found is a message, and where it is on the topic.
type found struct {
	place   deadletter.Place
	message *eventsv1.ProspectEvent
}

// run reads one partition after the other and sends what it reads.
func (w *work) run(ctx context.Context) error {
	var total int64
	for _, stretch := range w.todo {
		total += stretch.Len()
	}
	progress := w.session.Progress("messages", total)
	defer progress.End()
	for _, partition := range slices.Sorted(maps.Keys(w.todo)) {
		begin := w.todo[partition].From
		err := w.reader.Read(ctx, w.session.Config.Kafka.Topic, partition, w.todo[partition], func(r *kgo.Record) error {
			progress.Add(r.Offset + 1 - begin)
			begin = r.Offset + 1
			w.take(r)
			if len(w.batch) < maxBatch && w.bytes < maxBytes {
				return nil
			}
			return w.flush(ctx, partition, r.Offset+1)
		})
		if err == nil {
			err = w.flush(ctx, partition, w.todo[partition].To)
		}
		if err != nil {
			return err
		}
		progress.Add(w.todo[partition].To - begin)
	}
	return nil
}

// take puts a record's message into the batch, if it has one.
func (w *work) take(r *kgo.Record) {
	if w.until != nil && !r.Timestamp.Before(w.until.Time) {
		return
	}
	w.result.Read++
	m, err := message.Decode(r.Value)
	if err == nil {
		err = message.Check(m)
	}
	place := deadletter.Place{Partition: r.Partition, Offset: r.Offset}
	if err != nil {
		w.passOver(place, err)
		return
	}
	w.batch, w.bytes = append(w.batch, found{place, m}), w.bytes+len(r.Value)
}

// passOver counts a record that can't become an event.
func (w *work) passOver(place deadletter.Place, err error) {
	if w.result.Unreadable++; w.result.Unreadable <= maxNamed {
		w.session.Say("%v can't be read: %v", place, err)
	}
}

// flush sends the batch. Then all of the partition before this offset is done.
func (w *work) flush(ctx context.Context, partition int32, next int64) error {
	if err := w.restore(ctx, w.batch); err != nil {
		return err
	}
	w.batch, w.bytes = nil, 0
	w.todo[partition] = stream.Range{From: next, To: w.todo[partition].To}
	return nil
}

// restore sends messages. The Event service takes all or none: when it refuses, the halves are sent, so that a message against a
// rule that isn't in the contract keeps no other from being restored.
func (w *work) restore(ctx context.Context, batch []found) error {
	if len(batch) == 0 {
		return nil
	}
	messages := make([]*eventsv1.ProspectEvent, len(batch))
	for i, f := range batch {
		messages[i] = f.message
	}
	answer, err := w.sender.send(ctx, messages)
	switch {
	case err == nil:
		w.result.Restored += int64(answer.GetRestoredCount())
		w.result.Present += int64(answer.GetPresentCount())
		w.result.Newer += int64(answer.GetNewerCount())
		return nil
	case !fault.Is(err, fault.Invalid):
		return err
	case len(batch) == 1:
		w.passOver(batch[0].place, err)
		return nil
	}
	half := len(batch) / 2
	if err := w.restore(ctx, batch[:half]); err != nil {
		return err
	}
	return w.restore(ctx, batch[half:])
}
