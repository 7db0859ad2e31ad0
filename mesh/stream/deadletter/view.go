package deadletter

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/stream"
)

// View is the DLQ as it stood at a certain time: what came later isn't in it.
type View struct {
	queue      *Queue
	partitions map[int32]*partition
}

// partition is what is known of one partition of the DLQ.
type partition struct {
	// seen is the stretch that the view is of; known is up to where markers and letters were looked for, which may be further.
	seen  stream.Range
	known int64
	// letters are the records that are no markers, handled those that markers name.
	letters, handled offsets
}

// Look reads where records and markers stand. Markers come after what they mark, so that this takes a pass of its own. It keeps
// offsets alone.
func (q *Queue) Look(ctx context.Context) (*View, error) {
	v := &View{queue: q, partitions: map[int32]*partition{}}
	ranges, err := q.reader.Ranges(ctx, q.dlq)
	if err != nil {
		return nil, err
	}
	for number, now := range ranges {
		v.partitions[number] = &partition{seen: now, known: now.From}
	}
	return v, v.follow(ctx, ranges)
}

// refresh takes in what was marked since.
func (v *View) refresh(ctx context.Context) error {
	ranges, err := v.queue.reader.Ranges(ctx, v.queue.dlq)
	if err != nil {
		return err
	}
	return v.follow(ctx, ranges)
}

func (v *View) follow(ctx context.Context, ranges map[int32]stream.Range) error {
	for number, p := range v.partitions {
		stretch := stream.Range{From: max(p.known, ranges[number].From), To: ranges[number].To}
		err := v.queue.reader.Read(ctx, v.queue.dlq, number, stretch, func(r *kgo.Record) error {
			if marked, isMarker := readMarker(r); isMarker {
				for _, m := range marked {
					p.handled = p.handled.add(m)
				}
				return nil
			}
			p.letters = p.letters.add(one(r.Offset))
			return nil
		})
		if err != nil {
			return err
		}
		p.known = max(p.known, stretch.To)
	}
	return nil
}

// Each hands over the open records that a filter lets through, by partition and offset, until there are no more or with the first
// error. They aren't kept: there may be any number.
func (v *View) Each(ctx context.Context, filter Filter, handle func(*Letter) error) error {
	for _, number := range v.numbers() {
		p := v.partitions[number]
		first, some := p.letters.firstWithout(p.handled)
		if !some {
			continue
		}
		stretch := filter.narrow(number, stream.Range{From: first, To: p.seen.To})
		err := v.queue.reader.Read(ctx, v.queue.dlq, number, stretch, func(r *kgo.Record) error {
			if p.handled.has(r.Offset) || !p.letters.has(r.Offset) {
				return nil
			}
			if l := newLetter(r); filter.matches(l) {
				return handle(l)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *View) numbers() []int32 { return slices.Sorted(maps.Keys(v.partitions)) }
