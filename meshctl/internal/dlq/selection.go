// Package dlq holds the commands about the records that could not be applied.
package dlq

import (
	"errors"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/session"
)

// Conditions say which records are meant: those that all of them fit.
type Conditions struct {
	Reason   string            `help:"Those with this reason: invalid, newer or failed." placeholder:"REASON"`
	Key      string            `help:"Those with this key." placeholder:"KEY"`
	Original *deadletter.Place `help:"That which was at this place of its topic." placeholder:"P:O"`
	Since    *session.Moment   `help:"Those put on the DLQ since then: 2026-11-23T10:20:30Z, 2026-11-23, or 90m for so long ago." placeholder:"TIME"`
	Until    *session.Moment   `help:"Those put there before then." placeholder:"TIME"`
}

func (c Conditions) filter() deadletter.Filter {
	f := deadletter.Filter{Reason: c.Reason, Key: c.Key, Original: c.Original}
	if c.Since != nil {
		f.Since = c.Since.Time
	}
	if c.Until != nil {
		f.Until = c.Until.Time
	}
	return f
}

// Selection is for commands that change something: none of it selected must not mean all.
type Selection struct {
	Places []deadletter.Place `arg:"" optional:"" name:"place" help:"Places on the DLQ, as PARTITION:OFFSET."`
	Conditions
	All bool `help:"All open records."`
	Yes bool `short:"y" help:"Don't ask."`
}

var errNothingSelected = errors.New("say which records: places, conditions, or --all")

func (s Selection) filter() (deadletter.Filter, error) {
	f := s.Conditions.filter()
	if s.Places != nil {
		f.Places = map[deadletter.Place]bool{}
		for _, p := range s.Places {
			f.Places[p] = true
		}
	}
	some := s.Places != nil || s.Conditions != Conditions{}
	switch {
	case some && s.All:
		return f, console.With(console.Usage, errors.New("--all contradicts what else is selected"))
	case !some && !s.All:
		return f, console.With(console.Usage, errNothingSelected)
	}
	return f, nil
}
