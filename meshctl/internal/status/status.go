// Package status holds the command that tells what waits where.
package status

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	prospectv1 "eventprospect/gen/prospect/v1"
	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/dlq"
	"eventprospect/meshctl/internal/session"
)

// Command is `status`.
type Command struct{}

// Status is what waits where. What couldn't be asked is not there, but in Errors.
type Status struct {
	Outbox *Outbox           `json:"outbox,omitempty"`
	Lag    *Lag              `json:"lag,omitempty"`
	DLQ    *dlq.Counts       `json:"dlq,omitempty"`
	Errors map[string]string `json:"errors,omitempty"`
}

// Outbox is what the Prospect service has not published yet.
type Outbox struct {
	Waiting int64      `json:"waiting"`
	Oldest  *time.Time `json:"oldest_time,omitempty"`
	// Max is how many may wait; 0: any number.
	Max int64 `json:"max_waiting"`
}

// Lag is what the Event service has not consumed yet.
type Lag struct {
	Group      string      `json:"group"`
	Total      int64       `json:"total"`
	Partitions []Partition `json:"partitions"`
}

// Partition is the lag on one partition.
type Partition struct {
	Partition int32 `json:"partition"`
	Committed int64 `json:"committed"`
	End       int64 `json:"end"`
	Behind    int64 `json:"behind"`
}

// Run implements the command. It asks for all at the same time, and tells what it hears.
func (c *Command) Run(ctx context.Context, s *session.Session) error {
	q, err := s.Queue()
	if err != nil {
		return err
	}
	found := Status{Errors: map[string]string{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	ask := func(what string, question func() error) {
		all.Go(func() {
			if err := question(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				found.Errors[what] = err.Error()
			}
		})
	}
	ask("outbox", func() (err error) { found.Outbox, err = outbox(ctx, s); return err })
	ask("lag", func() (err error) { found.Lag, err = lag(ctx, q, s.Config.Group); return err })
	ask("dlq", func() (err error) { found.DLQ, err = counts(ctx, q); return err })
	all.Wait()
	if err := s.Show(found, func() { found.table(s) }); err != nil {
		return err
	}
	switch len(found.Errors) {
	case 0:
		return nil
	case 1:
		return console.With(console.Partly, errors.New("one part could not be asked"))
	}
	return console.With(console.Partly, fmt.Errorf("%d parts could not be asked", len(found.Errors)))
}

func outbox(ctx context.Context, s *session.Session) (*Outbox, error) {
	conn, err := s.Connect(ctx, "prospect")
	if err != nil {
		return nil, err
	}
	answer, err := prospectv1.NewOutboxServiceClient(conn).GetOutbox(ctx, &prospectv1.GetOutboxRequest{})
	if err != nil {
		return nil, err
	}
	o := &Outbox{Waiting: answer.GetWaitingCount(), Max: answer.GetMaxWaitingCount()}
	if answer.GetOldestTime() != nil {
		oldest := answer.GetOldestTime().AsTime()
		o.Oldest = &oldest
	}
	return o, nil
}

func lag(ctx context.Context, q *deadletter.Queue, group string) (*Lag, error) {
	partitions, err := q.Lag(ctx, group)
	if err != nil {
		return nil, err
	}
	l := &Lag{Group: group}
	for _, p := range partitions {
		l.Total += p.Behind
		l.Partitions = append(l.Partitions, Partition(p))
	}
	return l, nil
}

func counts(ctx context.Context, q *deadletter.Queue) (*dlq.Counts, error) {
	view, err := q.Look(ctx)
	if err != nil {
		return nil, err
	}
	c, err := dlq.Count(ctx, view, deadletter.Filter{})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

func (f Status) table(s *session.Session) {
	failed := func(what string) { fmt.Fprintf(s.Out, "can't be told: %s\n", console.Plain(f.Errors[what])) }
	fmt.Fprintln(s.Out, "Outbox of the Prospect service: messages that Kafka doesn't have yet")
	if f.Outbox != nil {
		oldest, most := "", "any number"
		if f.Outbox.Oldest != nil {
			oldest = console.Time(*f.Outbox.Oldest)
		}
		if f.Outbox.Max > 0 {
			most = strconv.FormatInt(f.Outbox.Max, 10)
		}
		s.Table([]string{"WAITING", "OLDEST", "MAY WAIT"}, [][]string{{strconv.FormatInt(f.Outbox.Waiting, 10), oldest, most}})
	} else {
		failed("outbox")
	}
	fmt.Fprintf(s.Out, "\nGroup %s on %s: messages that it has before it\n", s.Config.Group, s.Config.Kafka.Topic)
	if f.Lag != nil {
		f.Lag.table(s.Console)
	} else {
		failed("lag")
	}
	fmt.Fprintf(s.Out, "\n%s: records that could not be applied\n", s.Config.Kafka.DLQ())
	if f.DLQ != nil {
		f.DLQ.Table(s.Console)
	} else {
		failed("dlq")
	}
}

func (l *Lag) table(to *console.Console) {
	var rows [][]string
	for _, p := range l.Partitions {
		committed := "none"
		if p.Committed >= 0 {
			committed = strconv.FormatInt(p.Committed, 10)
		}
		rows = append(rows, []string{
			strconv.Itoa(int(p.Partition)), committed, strconv.FormatInt(p.End, 10), strconv.FormatInt(p.Behind, 10),
		})
	}
	to.Table([]string{"PARTITION", "COMMITTED", "END", "BEHIND"}, append(rows, []string{"total", "", "", strconv.FormatInt(l.Total, 10)}))
}
