//go:build linux

package delivery

import (
	"context"
	"fmt"
)

// Counts are what was found at the end.
type Counts struct {
	// Acknowledged is how many prospects were, and Changes how many changes of them.
	Acknowledged, Changes int
	// Shown is how many prospects the gateway tells of.
	Shown int
	// Prospects is what is stored of prospects, Created and Updated of events.
	Prospects, Created, Updated Match
	// Foreign are events of another kind.
	Foreign int
	// Records is how many are on the topic, Repeats how many of them were there before.
	Records, Repeats int
	// Passed is what is on the topic, by message.
	Passed Match
	// Disorder counts messages whose version doesn't follow the one before on the topic, Backwards changes that became an event before
	// their prospect's creation did.
	Disorder, Backwards int
	// DLQ is how many records are on it, Backlog how many messages wait to be published, and Lag how many records to be settled.
	DLQ, Backlog, Lag int
}

// Match compares what there is with what there has to be.
type Match struct {
	// Found is how many there are in all.
	Found int
	// Lost is how many are missing, Doubled how many there are more than once, or that nobody knows of.
	Lost, Doubled int
}

// note notes how many of one there are, and have to be.
func (m *Match) note(found, wanted int) {
	m.Found += found
	m.Lost += max(0, wanted-found)
	m.Doubled += max(0, found-wanted)
}

func (m Match) broken(what string, wanted int) []string {
	var broken []string
	if m.Found != wanted {
		broken = append(broken, fmt.Sprintf("%s: %d, want %d", what, m.Found, wanted))
	}
	if m.Lost != 0 {
		broken = append(broken, fmt.Sprintf("%s: %d are lost", what, m.Lost))
	}
	if m.Doubled != 0 {
		broken = append(broken, fmt.Sprintf("%s: %d are doubled", what, m.Doubled))
	}
	return broken
}

// count looks at everything.
func (w *world) count(ctx context.Context, calls *Calls, left rest) (*Counts, error) {
	c := &Counts{Backlog: left.Backlog, Lag: left.Lag}
	versions, err := w.stored.versions(ctx)
	if err != nil {
		return nil, fmt.Errorf("prospects: %w", err)
	}
	histories, err := storedHistories(ctx, w.events)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	if c.Backwards, err = w.events.number(ctx, backwards); err != nil {
		return nil, fmt.Errorf("order of events: %w", err)
	}
	if c.Shown, err = w.total(ctx); err != nil {
		return nil, fmt.Errorf("prospects at the gateway: %w", err)
	}
	passed, err := w.countTopics(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	c.compare(calls.versions, versions, passed, histories)
	return c, nil
}

// countTopics counts what is on the topic and its DLQ, and gives each prospect's last version there.
func (w *world) countTopics(ctx context.Context, c *Counts) (map[string]int64, error) {
	admin, err := w.admin()
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	if c.DLQ, err = held(ctx, admin, topic+".dlq"); err != nil {
		return nil, err
	}
	p, err := readTopic(ctx, admin, w.brokers)
	if err != nil {
		return nil, err
	}
	c.Records, c.Repeats, c.Disorder = p.records, p.repeats, p.disorder
	return p.versions, nil
}

// compare compares, prospect by prospect, what was acknowledged with the versions that are stored and that went over the topic, and with
// the events.
func (c *Counts) compare(acknowledged, stored, passed map[string]int64, events map[string]history) {
	ids := map[string]bool{}
	for _, versions := range []map[string]int64{acknowledged, stored, passed} {
		for id := range versions {
			ids[id] = true
		}
	}
	for id := range events {
		ids[id] = true
	}
	for id := range ids {
		want, h := acknowledged[id], events[id]
		exists, changes := min(int(want), 1), max(0, int(want)-1)
		c.Acknowledged += exists
		c.Changes += changes
		c.Prospects.note(min(int(stored[id]), 1), exists)
		c.Passed.note(int(passed[id]), int(want))
		c.Created.note(h.created, exists)
		c.Updated.note(h.updated, changes)
		c.Foreign += h.other
	}
}

// broken names the promises that were not kept.
func (c *Counts) broken() []string {
	var broken []string
	broken = append(broken, c.Prospects.broken("prospects stored", c.Acknowledged)...)
	broken = append(broken, c.Passed.broken("messages on the topic", c.Acknowledged+c.Changes)...)
	broken = append(broken, c.Created.broken("CREATED events", c.Acknowledged)...)
	broken = append(broken, c.Updated.broken("UPDATED events", c.Changes)...)
	if c.Shown != c.Acknowledged {
		broken = append(broken, fmt.Sprintf("the gateway tells of %d prospects, want %d", c.Shown, c.Acknowledged))
	}
	for what, n := range map[string]int{
		"events of another kind": c.Foreign, "messages out of order on the topic": c.Disorder, "changes that became an event before the creation did": c.Backwards,
		"records on the DLQ": c.DLQ, "messages that wait to be published": c.Backlog, "records that wait to be settled": c.Lag,
	} {
		if n != 0 {
			broken = append(broken, fmt.Sprintf("%s: %d, want 0", what, n))
		}
	}
	return broken
}
