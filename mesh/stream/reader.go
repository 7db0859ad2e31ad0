package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/telemetry"
)

// readPatience is how long a reader waits for a record before it asks whether there is one at all.
const readPatience = time.Second

// Connect makes a client for tools that work on the topics themselves. It connects when it is first used.
func Connect(cfg Config, traces *telemetry.Traces, log *slog.Logger, more ...kgo.Opt) (*kgo.Client, error) {
	client, _, err := newClient(cfg, Telemetry{Traces: traces, Log: log}, more...)
	return client, err
}

// Range is a stretch of a partition: the offsets from From up to, but without, To.
type Range struct{ From, To int64 }

// Len is how many offsets that are. Not at each there must be a record.
func (r Range) Len() int64 { return max(0, r.To-r.From) }

// Reader reads what stands on topics at a certain time, as a member of no group: it has an end.
type Reader struct {
	cfg    Config
	client *kgo.Client
	admin  *kadm.Client
	open   func(more ...kgo.Opt) (*kgo.Client, error)
}

// NewReader makes a reader. Close it.
func NewReader(cfg Config, traces *telemetry.Traces, log *slog.Logger) (*Reader, error) {
	open := func(more ...kgo.Opt) (*kgo.Client, error) { return Connect(cfg, traces, log, more...) }
	client, err := open()
	if err != nil {
		return nil, err
	}
	return &Reader{cfg: cfg, client: client, admin: kadm.NewClient(client), open: open}, nil
}

// Close ends the reader's connections.
func (r *Reader) Close() { r.client.Close() }

// Ranges gives what each partition of a topic holds now.
func (r *Reader) Ranges(ctx context.Context, topic string) (map[int32]Range, error) {
	first, err := r.list(ctx, topic, r.admin.ListStartOffsets)
	if err != nil {
		return nil, err
	}
	end, err := r.list(ctx, topic, r.admin.ListEndOffsets)
	if err != nil {
		return nil, err
	}
	all := make(map[int32]Range, len(end))
	for partition, to := range end {
		all[partition] = Range{From: min(first[partition], to), To: to}
	}
	return all, nil
}

// After gives, for each partition of a topic, the offset of the first record with this timestamp or a later one, or its end.
func (r *Reader) After(ctx context.Context, topic string, t time.Time) (map[int32]int64, error) {
	return r.list(ctx, topic, func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return r.admin.ListOffsetsAfterMilli(ctx, t.UnixMilli(), topics...)
	})
}

// list asks for an offset of each partition. A broker that can't be reached is met by the ping already, which doesn't try again.
func (r *Reader) list(ctx context.Context, topic string, ask func(context.Context, ...string) (kadm.ListedOffsets, error)) (map[int32]int64, error) {
	err := r.client.Ping(ctx)
	var listed kadm.ListedOffsets
	if err == nil {
		listed, err = ask(ctx, topic)
	}
	if err == nil {
		err = listed.Error()
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return nil, fmt.Errorf("topic %s does not exist", topic)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return nil, refused("topic "+topic, "DESCRIBE", err)
	case err != nil:
		return nil, errors.New(why(err, r.cfg))
	}
	offsets := make(map[int32]int64, len(listed[topic]))
	for partition, at := range listed[topic] {
		offsets[partition] = at.Offset
	}
	return offsets, nil
}

// Read hands over the records of a stretch of a partition in order, and returns when it has them all, or with the first error. What
// Kafka deletes meanwhile is left out.
func (r *Reader) Read(ctx context.Context, topic string, partition int32, stretch Range, handle func(*kgo.Record) error) error {
	if stretch.Len() == 0 {
		return ctx.Err()
	}
	client, err := r.open(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: kgo.NewOffset().At(stretch.From)}}),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.KeepControlRecords(), // a transaction's end may be the last of the stretch
		kgo.FetchMaxWait(fetchWait),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	for next := stretch.From; next < stretch.To; {
		polled, err := poll(ctx, client)
		if err != nil {
			return refused("topic "+topic, kadm.OpRead.String(), err)
		}
		if len(polled) == 0 {
			now, err := r.Ranges(ctx, topic)
			if err != nil {
				return err
			}
			if at := now[partition]; at.From >= stretch.To || at.To <= next {
				return nil
			}
		}
		for _, record := range polled {
			passed := record.Offset < next || record.Offset >= stretch.To
			next = max(next, record.Offset+1)
			if passed || record.Attrs.IsControl() {
				continue
			}
			if err := handle(record); err != nil {
				return err
			}
		}
	}
	return nil
}

// poll gives the records that come next; none if none comes for a while.
func poll(ctx context.Context, client *kgo.Client) ([]*kgo.Record, error) {
	waiting, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	fetches := client.PollFetches(waiting)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case waiting.Err() != nil && fetches.NumRecords() == 0:
		return nil, nil
	}
	if errs := fetches.Errors(); len(errs) > 0 {
		return nil, errs[0].Err
	}
	return fetches.Records(), nil
}
