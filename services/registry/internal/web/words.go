package web

import (
	"strconv"
	"strings"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// state is a status as people read it, and as style sheets name it.
type state struct{ Name, Class string }

// Lower is the name within a sentence.
func (s state) Lower() string { return strings.ToLower(s.Name) }

func stateOf(s registry.Status) state {
	switch s {
	case registry.Up:
		return state{"Up", "up"}
	case registry.OutOfService:
		return state{"Out of service", "out"}
	case registry.Starting:
		return state{"Starting", "starting"}
	case registry.Down:
		return state{"Down", "down"}
	default:
		return state{"Unknown", "unknown"}
	}
}

// states gives every status, in the order in which counts are shown.
func states() []registry.Status {
	return []registry.Status{registry.Up, registry.Starting, registry.OutOfService, registry.Down, registry.Unknown}
}

// clock is the time at which something is shown. The zero clock is for what is shown later: it gives points in time, not distances.
type clock time.Time

func (c clock) later() bool { return time.Time(c).IsZero() }

// moment is a point in time as it is shown: in words, for machines, and in full.
type moment struct{ Text, Machine, Full string }

func (c clock) moment(t time.Time) moment {
	t = t.UTC()
	m := moment{Machine: t.Format(time.RFC3339Nano), Full: t.Format("2 January 2006, 15:04:05 UTC")}
	m.Text = m.Full
	if !c.later() {
		m.Text = span(time.Time(c).Sub(t))
	}
	return m
}

// span gives a time roughly. The script does the same.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return strconv.Itoa(max(0, int(d/time.Second))) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + " d"
	}
}

// plural gives a number with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

// thousands writes a number as English does: 12,345.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// sentence gives a text a capital and a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
