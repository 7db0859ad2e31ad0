// Package rebuild holds the command that makes the events of prospects anew from the messages on the topic.
package rebuild

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/stream"
	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/session"
)

// Command is `rebuild`. One of the three beginnings must be given.
type Command struct {
	From          *session.Moment    `xor:"beginning" required:"" help:"From the messages published then: 2026-11-23T10:20:30Z, 2026-11-23, or 90m for so long ago." placeholder:"TIME"`
	FromOffset    []deadletter.Place `xor:"beginning" required:"" help:"From these offsets, of the partitions that are named and no other." placeholder:"P:O"`
	FromBeginning bool               `xor:"beginning" required:"" help:"From the first message that is still there."`
	Until         *session.Moment    `help:"Up to the messages published then." placeholder:"TIME"`
}

// Result is what came of it, in messages.
type Result struct {
	Read       int64  `json:"read"`
	Restored   int64  `json:"restored"`
	Present    int64  `json:"present"`
	Newer      int64  `json:"newer"`
	Unreadable int64  `json:"unreadable"`
	GoOn       string `json:"go_on,omitempty"` // the options with which to go on after a failure
}

// Run implements the command. What is published meanwhile is the consumer's.
func (c *Command) Run(ctx context.Context, s *session.Session) error {
	reader, err := s.Reader()
	if err != nil {
		return err
	}
	todo, err := c.stretches(ctx, reader, s.Config.Kafka.Topic)
	if err != nil {
		return err
	}
	conn, err := s.Connect(ctx, "event", rpc.WithCalls(slow(s.Config.Calls)))
	if err != nil {
		return err
	}
	w := &work{
		session: s, reader: reader, todo: todo, until: c.Until,
		sender: sender{client: eventv1.NewRestoreServiceClient(conn), pause: firstPause, patience: patience, say: s.Say},
	}
	err = w.run(ctx)
	if err != nil {
		w.result.GoOn = w.options()
	}
	if shown := s.Show(w.result, func() { w.result.table(s.Console) }); err == nil {
		err = shown
	}
	if err == nil && w.result.Newer+w.result.Unreadable > 0 {
		err = console.With(console.Partly, errors.New("not every message became an event"))
	}
	return err
}

// stretches tells what is to be read of each partition: up to its end as it is now.
func (c *Command) stretches(ctx context.Context, reader *stream.Reader, topic string) (map[int32]stream.Range, error) {
	todo, err := reader.Ranges(ctx, topic)
	if err != nil {
		return nil, err
	}
	begin := map[int32]int64{}
	switch {
	case c.FromBeginning:
		return todo, nil
	case c.From != nil:
		if begin, err = reader.After(ctx, topic, c.From.Time); err != nil {
			return nil, err
		}
	}
	for _, place := range c.FromOffset {
		if _, there := todo[place.Partition]; !there {
			return nil, console.With(console.Usage, fmt.Errorf("the topic %s has no partition %d", topic, place.Partition))
		}
		begin[place.Partition] = place.Offset
	}
	for partition, all := range todo {
		from, meant := begin[partition]
		if !meant {
			delete(todo, partition)
			continue
		}
		todo[partition] = stream.Range{From: max(from, all.From), To: all.To}
	}
	return todo, nil
}

// options gives what goes on where the work was broken off.
func (w *work) options() string {
	var places []string
	for _, partition := range slices.Sorted(maps.Keys(w.todo)) {
		if left := w.todo[partition]; left.Len() > 0 {
			places = append(places, deadletter.Place{Partition: partition, Offset: left.From}.String())
		}
	}
	if len(places) == 0 {
		return ""
	}
	options := "--from-offset " + strings.Join(places, ",")
	if w.until != nil {
		options += " --until " + w.until.UTC().Format(time.RFC3339Nano)
	}
	return options
}

func (r Result) table(to *console.Console) {
	to.Table([]string{"READ", "RESTORED", "PRESENT", "NEWER", "UNREADABLE"}, [][]string{{
		fmt.Sprint(r.Read), fmt.Sprint(r.Restored), fmt.Sprint(r.Present), fmt.Sprint(r.Newer), fmt.Sprint(r.Unreadable),
	}})
	if r.GoOn != "" {
		fmt.Fprintf(to.Out, "Go on with: meshctl rebuild %s\n", r.GoOn)
	}
}
