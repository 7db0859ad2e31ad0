//go:build linux

package delivery

import (
	"maps"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	prospecteventsv1 "eventprospect/gen/prospect/events/v1"
)

// found is what the two services and the topic have of two prospects, one of which was changed twice.
type found struct {
	acknowledged, stored, passed map[string]int64
	events                       map[string]history
}

func whole() found {
	versions := map[string]int64{"a": 1, "b": 3}
	return found{
		acknowledged: versions, stored: maps.Clone(versions), passed: maps.Clone(versions),
		events: map[string]history{"a": {created: 1}, "b": {created: 1, updated: 2}},
	}
}

func TestEveryBrokenPromiseIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(*found, *Counts)
		want string // what the promise is called; empty: none is broken
	}{
		"whole":                        {func(*found, *Counts) {}, ""},
		"a prospect is lost":           {func(f *found, _ *Counts) { delete(f.stored, "a") }, "prospects stored: 1 are lost"},
		"a prospect nobody asked for":  {func(f *found, _ *Counts) { f.stored["c"] = 1 }, "prospects stored: 1 are doubled"},
		"one lost and one too many":    {func(f *found, _ *Counts) { delete(f.stored, "a"); f.stored["c"] = 1 }, "prospects stored: 1 are lost"},
		"a message is lost":            {func(f *found, _ *Counts) { f.passed["b"] = 2 }, "messages on the topic: 1 are lost"},
		"an event is lost":             {func(f *found, _ *Counts) { delete(f.events, "a") }, "CREATED events: 1 are lost"},
		"an event is doubled":          {func(f *found, _ *Counts) { f.events["a"] = history{created: 2} }, "CREATED events: 1 are doubled"},
		"a change is lost":             {func(f *found, _ *Counts) { f.events["b"] = history{created: 1, updated: 1} }, "UPDATED events: 1 are lost"},
		"a change is doubled":          {func(f *found, _ *Counts) { f.events["b"] = history{created: 1, updated: 3} }, "UPDATED events: 1 are doubled"},
		"an event of another kind":     {func(f *found, _ *Counts) { f.events["a"] = history{created: 1, other: 1} }, "events of another kind: 1"},
		"the gateway tells of another": {func(_ *found, c *Counts) { c.Shown = 3 }, "the gateway tells of 3"},
		"out of order":                 {func(_ *found, c *Counts) { c.Disorder = 1 }, "out of order on the topic: 1"},
		"backwards":                    {func(_ *found, c *Counts) { c.Backwards = 1 }, "before the creation did: 1"},
		"on the DLQ":                   {func(_ *found, c *Counts) { c.DLQ = 1 }, "records on the DLQ: 1"},
		"not published":                {func(_ *found, c *Counts) { c.Backlog = 1 }, "wait to be published: 1"},
		"not settled":                  {func(_ *found, c *Counts) { c.Lag = 1 }, "wait to be settled: 1"},
	} {
		f, counts := whole(), &Counts{Shown: 2}
		c.harm(&f, counts)
		counts.compare(f.acknowledged, f.stored, f.passed, f.events)
		broken := strings.Join(counts.broken(), "; ")
		if c.want == "" && broken != "" || !strings.Contains(broken, c.want) {
			t.Errorf("%s: broken are %q, want %q", name, broken, c.want)
		}
	}
}

// message makes a record as the Prospect service publishes it.
func message(t *testing.T, id, prospect string, version int64) *kgo.Record {
	t.Helper()
	value, err := proto.Marshal(&prospecteventsv1.ProspectEvent{Id: id, ProspectId: prospect, Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return &kgo.Record{Key: []byte(prospect), Value: value, Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte(id)}}}
}

func TestTheOrderOnTheTopicIsThatOfFirstTimes(t *testing.T) {
	t.Parallel()
	type sent struct {
		id, prospect string
		version      int64
	}
	for name, c := range map[string]struct {
		sent              []sent
		repeats, disorder int
	}{
		"in order":          {[]sent{{"1", "a", 1}, {"2", "b", 1}, {"3", "a", 2}}, 0, 0},
		"again":             {[]sent{{"1", "a", 1}, {"2", "a", 2}, {"1", "a", 1}, {"2", "a", 2}, {"3", "a", 3}}, 2, 0},
		"the wrong way":     {[]sent{{"2", "a", 2}, {"1", "a", 1}}, 0, 2},
		"one is missing":    {[]sent{{"1", "a", 1}, {"3", "a", 3}}, 0, 1},
		"two of a version":  {[]sent{{"1", "a", 1}, {"2", "a", 1}}, 0, 1},
		"without beginning": {[]sent{{"2", "a", 2}}, 0, 1},
	} {
		p := newPassage()
		for _, s := range c.sent {
			if err := p.take(message(t, s.id, s.prospect, s.version)); err != nil {
				t.Fatal(err)
			}
		}
		if p.records != len(c.sent) || p.repeats != c.repeats || p.disorder != c.disorder {
			t.Errorf("%s: %d records, %d repeats, %d out of order", name, p.records, p.repeats, p.disorder)
		}
	}
	nameless := message(t, "1", "a", 1)
	nameless.Headers = nil
	for _, record := range []*kgo.Record{{Value: []byte("?")}, nameless} {
		if err := newPassage().take(record); err == nil {
			t.Errorf("%v was taken for a message", record)
		}
	}
}
