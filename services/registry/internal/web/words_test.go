package web

import (
	"testing"
	"time"

	"eventprospect/services/registry/internal/registry"
)

func TestSpansAreRough(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 59 * time.Second: "59 s", time.Minute: "1 min", 59*time.Minute + 59*time.Second: "59 min",
		time.Hour: "1 h", 47 * time.Hour: "47 h", 48 * time.Hour: "2 d", 1000 * 24 * time.Hour: "1000 d",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestNumbersAreReadable(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 instances", 1: "1 instance", 999: "999 instances", 10_000: "10,000 instances", 1_234_567: "1,234,567 instances"} {
		if got := plural(n, "instance"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestAMomentIsShownRoughlyAndInFull(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, time.March, 4, 5, 6, 7, 8000, time.FixedZone("", 3600))
	want := moment{Text: "2 min", Machine: "2026-03-04T04:06:07.000008Z", Full: "4 March 2026, 04:06:07 UTC"}
	if got := clock(when.Add(2 * time.Minute)).moment(when); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want.Text = want.Full
	if got := (clock{}).moment(when); got != want {
		t.Errorf("for later: got %+v, want %+v", got, want)
	}
}

// What happened after a revision is told with the next.
func TestNothingIsToldBeforeItIsShown(t *testing.T) {
	t.Parallel()
	history := []registry.Event{{Revision: 1}, {Revision: 2}, {Revision: 2}, {Revision: 3}}
	for revision, want := range []int{0, 1, 3, 4} {
		if got := len(upTo(history, int64(revision))); got != want {
			t.Errorf("up to %d: %d events, want %d", revision, got, want)
		}
	}
}
