package app_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/fault"
)

// many publishes n good messages on a partition, the first one with this number.
func (w *world) many(partition int32, first, n int) {
	w.t.Helper()
	var values [][]byte
	for i := range n {
		values = append(values, encode(w.t, event(first+i)))
	}
	w.publish(partition, values...)
}

func TestRebuildSendsAllInBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(0, 0, 1500)
	w.many(1, 1500, 20)
	code, out, said := w.run("rebuild", "--from-beginning")
	wantLines(t, out, "READ RESTORED PRESENT NEWER UNREADABLE", "1520 1520 0 0 0")
	if code != 0 || !slices.Equal(w.services.batches, []int{1000, 500, 20}) {
		t.Errorf("%d, batches %v", code, w.services.batches)
	}
	if lines := strings.Count(said, "messages: "); lines < 10 || lines > 20 || !strings.HasSuffix(said, "messages: 1520 of 1520\n") {
		t.Errorf("progress: %s", said)
	}
	if again := object(t, w.must(0, "-o", "json", "rebuild", "--from-beginning")); again["restored"] != 0. || again["present"] != 1520. {
		t.Errorf("again: %v", again)
	}
}

func TestRebuildTellsWhatDidNotBecomeAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	newer, invalid := event(2), event(3)
	newer.Kind = 99
	invalid.OccurTime = nil
	w.publish(0, encode(t, event(1)), encode(t, newer), encode(t, invalid), []byte{0xff}, encode(t, event(4)))
	code, out, said := w.run("rebuild", "--from-beginning")
	wantLines(t, out, "5 2 0 1 2")
	if code != 4 || !strings.Contains(said, "0:2 can't be read: occur_time: value is required\n") || !strings.Contains(said, "0:3 can't be read: not a prospect.events.v1.ProspectEvent") {
		t.Errorf("%d: %s", code, said)
	}
}

// TestARefusedMessageKeepsNoOtherFromBeingRestored has two that break a rule that the tool doesn't know.
func TestARefusedMessageKeepsNoOtherFromBeingRestored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(0, 0, 100)
	w.many(1, 17, 1)
	w.services.refused = event(17).GetProspectId()
	code, out, said := w.run("rebuild", "--from-beginning")
	wantLines(t, out, "101 99 0 0 2")
	const why = " can't be read: the request is invalid: prospect_id: must not be this one\n"
	if code != 4 || !strings.Contains(said, "\n0:17"+why) || !strings.Contains(said, "\n1:0"+why) {
		t.Errorf("%d: %s", code, said)
	}
}

// TestRebuildBoundsWhatItSendsAndSays has large messages, and many that can't be read.
func TestRebuildBoundsWhatItSendsAndSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 4 {
		large := event(n)
		large.ChangedFields = []string{strings.Repeat("x", 600_000)}
		w.publish(0, encode(t, large))
	}
	for range 12 {
		w.publish(1, []byte{0xff})
	}
	code, out, said := w.run("rebuild", "--from-beginning")
	wantLines(t, out, "16 4 0 0 12")
	if code != 4 || !slices.Equal(w.services.batches, []int{2, 2}) || strings.Count(said, "can't be read") != 10 {
		t.Errorf("%d, batches %v: %s", code, w.services.batches, said)
	}
}

func TestRebuildBeginsAndEndsWhereItIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(0, 0, 10) // one a minute from 12:00 on
	w.many(1, 10, 10)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--from", "2026-11-23T12:07:00Z"}, "6"},
		{[]string{"--from", "2026-11-23T12:02:00Z", "--until", "2026-11-23T12:04:00Z"}, "4"},
		{[]string{"--from", "2026-11-24"}, "0"},
		{[]string{"--from-offset", "1:8"}, "2"},
		{[]string{"--from-offset", "1:8,0:5"}, "7"},
		{[]string{"--from-offset", "1:99"}, "0"},
		{[]string{"--from-beginning", "--until", "2026-11-23T12:01:00Z"}, "2"},
	} {
		if got := object(t, w.must(0, append([]string{"-o", "json", "rebuild"}, c.args...)...)); fmt.Sprint(got["read"]) != c.want {
			t.Errorf("%v: read %v, want %s", c.args, got["read"], c.want)
		}
	}
	for _, args := range [][]string{
		nil, {"--from-beginning", "--from", "1h"}, {"--from", "yesterday"}, {"--from-offset", "1"}, {"--from-offset", "2:0"}, {"--from", "-1h"},
	} {
		w.must(2, append([]string{"rebuild"}, args...)...)
	}
}

func TestRebuildWaitsForTheEventService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(0, 0, 5)
	w.environ = append(w.environ, "MESHCTL_CALLS_ATTEMPTS=1")
	w.services.answers = []func() error{away, away}
	code, out, said := w.run("rebuild", "--from-beginning")
	wantLines(t, out, "5 5 0 0 0")
	if code != 0 || strings.Count(said, "away and will be tried again") != 2 {
		t.Errorf("%d: %s", code, said)
	}
}

func TestRebuildSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(0, 0, 1500)
	w.many(1, 1500, 3)
	w.services.answers = []func() error{nil, func() error { return fault.New(fault.Denied, "no") }}
	if out := object(t, w.must(1, "-o", "json", "rebuild", "--from-beginning")); out["go_on"] != "--from-offset 0:1000,1:0" || out["restored"] != 1000. {
		t.Errorf("%v", out)
	}
	wantLines(t, w.must(0, "rebuild", "--from-offset", "0:1000,1:0"), "503 503 0 0 0")
}

// TestRebuildGoesOnUpToTheSameTime: what it says brings nothing back that was not wanted.
func TestRebuildGoesOnUpToTheSameTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(0, 0, 10) // one a minute from 12:00 on
	w.services.answers = []func() error{func() error { return fault.New(fault.Denied, "no") }}
	out := object(t, w.must(1, "-o", "json", "rebuild", "--from-beginning", "--until", "2026-11-23T12:04:00Z"))
	options := strings.Fields(fmt.Sprint(out["go_on"]))
	wantLines(t, w.must(0, append([]string{"rebuild"}, options...)...), "4 4 0 0 0")
}

func TestInterruptedRebuildSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many(1, 0, 3)
	ctx, cancel := context.WithCancel(t.Context())
	w.environ = append(w.environ, "MESHCTL_CALLS_ATTEMPTS=1")
	w.services.answers = []func() error{func() error { cancel(); return away() }}
	code, out, _ := w.runIn(ctx, "rebuild", "--from-beginning")
	wantLines(t, out, "Go on with: meshctl rebuild --from-offset 1:0")
	if code != 3 {
		t.Errorf("ended with %d", code)
	}
}

func away() error { return fault.Away("the database", time.Millisecond) }
