package dlq

import (
	"context"
	"errors"
	"fmt"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/session"
)

// Replay is `dlq replay`.
type Replay struct {
	Selection
	Edited   string `help:"Replay the records of this file, edited lines of an export, with the messages or values that it gives them." placeholder:"FILE" type:"existingfile"`
	AnyTopic bool   `help:"Replay also what was on another topic than the one that is set, to that."`
}

// Run implements the command.
func (c *Replay) Run(ctx context.Context, s *session.Session) error {
	how := deadletter.Replay{AnyTopic: c.AnyTopic}
	if c.Edited == "" {
		filter, err := c.filter()
		if err != nil {
			return err
		}
		return c.run(ctx, s, filter, how)
	}
	if _, err := c.filter(); !errors.Is(err, errNothingSelected) {
		return console.With(console.Usage, errors.New("--edited says which records: select nothing else"))
	}
	edited, err := readEdits(c.Edited)
	if err != nil {
		return console.With(console.Usage, err)
	}
	how.Edit = edited.value
	return c.run(ctx, s, edited.filter(), how)
}

func (c *Replay) run(ctx context.Context, s *session.Session, filter deadletter.Filter, how deadletter.Replay) error {
	question := func(counts Counts) string {
		return fmt.Sprintf("Replay %s of %s to %s?", counts.String(), s.Config.Kafka.DLQ(), s.Config.Kafka.Topic)
	}
	return settle(ctx, s, filter, c.Yes, question, deadletter.Replayed, func(view *deadletter.View, progress func(int)) (deadletter.Outcome, error) {
		how.Progress = progress
		return view.Replay(ctx, filter, how)
	})
}

// Discard is `dlq discard`.
type Discard struct {
	Selection
}

// Run implements the command.
func (c *Discard) Run(ctx context.Context, s *session.Session) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	question := func(counts Counts) string {
		return fmt.Sprintf("Discard %s of %s for ever?", counts.String(), s.Config.Kafka.DLQ())
	}
	return settle(ctx, s, filter, c.Yes, question, deadletter.Discarded, func(view *deadletter.View, progress func(int)) (deadletter.Outcome, error) {
		return view.Discard(ctx, filter, progress)
	})
}

// result is what a replay or a discarding writes as JSON.
type result struct {
	How     string `json:"how"`
	Records int    `json:"records"`
	// Left says why, by place.
	Left map[string]string `json:"left,omitempty"`
	// Undeleted says why what is handled is still there, marked as such.
	Undeleted string `json:"undeleted,omitempty"`
}

// settle counts, asks, and does it with what was counted.
func settle(ctx context.Context, s *session.Session, filter deadletter.Filter, yes bool, question func(Counts) string, how string,
	do func(*deadletter.View, func(int)) (deadletter.Outcome, error),
) error {
	view, err := look(ctx, s)
	if err != nil {
		return err
	}
	counts, err := Count(ctx, view, filter)
	if err != nil {
		return err
	}
	if counts.Total > 0 {
		if err := s.Confirm(ctx, question(counts), yes); err != nil {
			return err
		}
	}
	progress := s.Progress(how, int64(counts.Total))
	outcome, err := do(view, func(n int) { progress.Add(int64(n)) })
	progress.End()
	if shown := tell(s, how, outcome); err == nil {
		err = shown
	}
	switch gone := len(filter.Places) - counts.Total; {
	case err != nil:
		return err
	case len(outcome.Left) > 0:
		return console.With(console.Partly, fmt.Errorf("%d records were left as they are", len(outcome.Left)))
	case gone > 0:
		return console.With(console.Partly, fmt.Errorf("%d of the places hold no open record that is meant", gone))
	}
	return nil
}

// tell says what was done and what wasn't.
func tell(s *session.Session, how string, outcome deadletter.Outcome) error {
	r := result{How: how, Records: outcome.Done, Left: map[string]string{}}
	for _, left := range outcome.Left {
		r.Left[left.Place.String()] = left.Why.Error()
	}
	if outcome.Undeleted != nil {
		r.Undeleted = outcome.Undeleted.Error()
	}
	return s.Show(r, func() {
		fmt.Fprintf(s.Out, "%d records were %s\n", outcome.Done, how)
		if outcome.Undeleted != nil {
			fmt.Fprintf(s.Out, "They stay on the DLQ, marked as handled, until its retention ends: %v\n", outcome.Undeleted)
		}
		var rows [][]string
		for _, left := range outcome.Left {
			rows = append(rows, []string{left.Place.String(), left.Why.Error()})
		}
		if len(rows) > 0 {
			s.Table([]string{"LEFT", "WHY"}, rows)
		}
	})
}
