package dlq

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/session"
)

// Show is `dlq show`.
type Show struct {
	Place deadletter.Place `arg:"" help:"Where the record is on the DLQ, as PARTITION:OFFSET."`
}

// Run implements the command.
func (c *Show) Run(ctx context.Context, s *session.Session) error {
	view, err := look(ctx, s)
	if err != nil {
		return err
	}
	var found *Entry
	only := deadletter.Filter{Places: map[deadletter.Place]bool{c.Place: true}}
	err = view.Each(ctx, only, func(l *deadletter.Letter) error {
		e := entry(l)
		found = &e
		return nil
	})
	if err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("there is no open record at %v", c.Place)
	}
	return s.Show(found, func() { found.page(s.Console) })
}

// page writes a record for people.
func (e *Entry) page(to *console.Console) {
	rows := [][]string{
		{"buried", console.Time(e.Buried)},
		{"reason", e.Reason},
		{"error", e.Error},
		{"attempts", strconv.Itoa(e.Attempts)},
		{"topic", e.Topic},
	}
	if e.Original != nil {
		rows = append(rows, []string{"original place", e.Original.String()})
	}
	if e.Time != nil {
		rows = append(rows, []string{"published", console.Time(*e.Time)})
	}
	rows = append(rows, []string{"key", key(*e)})
	for _, h := range e.Headers {
		value := h.Value
		if h.ValueBytes != nil {
			value = hex.EncodeToString(h.ValueBytes)
		}
		rows = append(rows, []string{"header " + h.Key, value})
	}
	to.Table([]string{"place", e.Place.String()}, rows)
	switch {
	case e.ValueLeftOut:
		fmt.Fprintln(to.Out, "\nThe value was left out for its size, or is empty. A replay looks for it at the original place.")
		return
	case e.Message != nil:
		text, _ := json.MarshalIndent(e.Message, "", "  ") // it was just made
		fmt.Fprintf(to.Out, "\n%s\n", text)
	default:
		fmt.Fprintf(to.Out, "\n%s", hex.Dump(e.ValueBytes))
	}
	if e.DecodeError != "" {
		fmt.Fprintf(to.Out, "\nThis breaks the contract: %s\n", console.Plain(e.DecodeError))
	}
}
