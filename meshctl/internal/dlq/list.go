package dlq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"eventprospect/mesh/stream/deadletter"
	"eventprospect/meshctl/internal/console"
	"eventprospect/meshctl/internal/session"
)

// List is `dlq list`.
type List struct {
	Conditions
	Limit     int  `help:"List so many, and only count the others; 0: list all." default:"100"`
	Summary   bool `help:"Only count them, by reason."`
	FailIfAny bool `help:"End with exit code 4 if there are any."`
}

// Counts are how many records there are.
type Counts struct {
	Total    int            `json:"total"`
	ByReason map[string]int `json:"by_reason"`
}

// listing is what `list` writes as JSON.
type listing struct {
	Records []Entry `json:"records,omitzero"`
	Counts
}

var errSome = errors.New("there are records on the DLQ")

// Run implements the command.
func (c *List) Run(ctx context.Context, s *session.Session) error {
	view, err := look(ctx, s)
	if err != nil {
		return err
	}
	var found listing
	found.ByReason = map[string]int{}
	if !c.Summary {
		found.Records = []Entry{} // to machines none is a list, too
	}
	err = view.Each(ctx, c.filter(), func(l *deadletter.Letter) error {
		found.add(l)
		if !c.Summary && (c.Limit == 0 || len(found.Records) < c.Limit) {
			found.Records = append(found.Records, summary(l))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.Show(found, func() { found.table(s.Console, c.Summary) }); err != nil {
		return err
	}
	if c.FailIfAny && found.Total > 0 {
		return console.With(console.Partly, errSome)
	}
	return nil
}

// look reads what is on the DLQ now.
func look(ctx context.Context, s *session.Session) (*deadletter.View, error) {
	q, err := s.Queue()
	if err != nil {
		return nil, err
	}
	return q.Look(ctx)
}

// Count counts the open records that a filter lets through.
func Count(ctx context.Context, view *deadletter.View, filter deadletter.Filter) (Counts, error) {
	counts := Counts{ByReason: map[string]int{}}
	return counts, view.Each(ctx, filter, func(l *deadletter.Letter) error {
		counts.add(l)
		return nil
	})
}

func (c *Counts) add(l *deadletter.Letter) {
	c.Total++
	c.ByReason[l.Reason]++
}

// String writes counts as "3 records (invalid 2, newer 1)".
func (c *Counts) String() string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(c.ByReason)) {
		parts = append(parts, fmt.Sprintf("%s %d", console.Plain(reason), c.ByReason[reason]))
	}
	switch c.Total {
	case 0:
		return "no records"
	case 1:
		return fmt.Sprintf("1 record (%s)", strings.Join(parts, ", "))
	}
	return fmt.Sprintf("%d records (%s)", c.Total, strings.Join(parts, ", "))
}

// Table writes counts by reason.
func (c *Counts) Table(to *console.Console) {
	var rows [][]string
	for _, reason := range slices.Sorted(maps.Keys(c.ByReason)) {
		rows = append(rows, []string{reason, strconv.Itoa(c.ByReason[reason])})
	}
	to.Table([]string{"REASON", "RECORDS"}, append(rows, []string{"total", strconv.Itoa(c.Total)}))
}

func (l *listing) table(to *console.Console, counts bool) {
	if counts {
		l.Table(to)
		return
	}
	var rows [][]string
	for _, r := range l.Records {
		rows = append(rows, []string{r.Place.String(), console.Time(r.Buried), r.Reason, key(r), r.MessageID, r.Error})
	}
	if len(rows) > 0 {
		to.Table([]string{"PLACE", "BURIED", "REASON", "KEY", "MESSAGE", "ERROR"}, rows)
	}
	more := ""
	if len(rows) < l.Total {
		more = fmt.Sprintf(", the first %d are listed", len(rows))
	}
	fmt.Fprintf(to.Out, "%s%s\n", l.String(), more)
}

// key gives a record's key for people.
func key(e Entry) string {
	if e.KeyBytes != nil {
		return fmt.Sprintf("%x", e.KeyBytes)
	}
	return e.Key
}
