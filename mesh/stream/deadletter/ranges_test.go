package deadletter

import (
	"testing"
)

func TestOffsetsGrowTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ set, more, want string }{
		{"", "5", "5"},
		{"5", "6", "5-6"},
		{"5", "4", "4-5"},
		{"5", "7", "5,7"},
		{"5,7", "6", "5-7"},
		{"1-3,5-6,9", "2-8", "1-9"},
		{"5-9", "6", "5-9"},
		{"5-9", "0", "0,5-9"},
	} {
		set := parse(t, c.set)
		for _, r := range parse(t, c.more) {
			set = set.add(r)
		}
		if got := set.String(); got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.set, c.more, got, c.want)
		}
	}
}

func TestFirstOffsetWithoutAnother(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		set, other string
		want       int64 // -1: none
	}{
		{"", "", -1},
		{"0-9", "", 0},
		{"0-9", "0-4", 5},
		{"0-9", "0-9", -1},
		{"0-3,5-9", "0-3,4-6", 7},
		{"0,2,4", "0-2", 4},
		{"3", "0-2,4", 3},
	} {
		got, some := parse(t, c.set).firstWithout(parse(t, c.other))
		if !some {
			got = -1
		}
		if got != c.want {
			t.Errorf("%s without %s: %d, want %d", c.set, c.other, got, c.want)
		}
	}
}

func TestBadListsOfOffsetsAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "all", "1,", "3-2", "-1", "1-", "0-9223372036854775807", "1 "} {
		if got, err := parseOffsets(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzOffsets(f *testing.F) {
	f.Add("1-3,5,9-12")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := parseOffsets(text)
		if err != nil {
			return
		}
		again, err := parseOffsets(set.String())
		if err != nil || again.String() != set.String() {
			t.Errorf("%q: %v, again %v, %v", text, set, again, err)
		}
	})
}

func parse(t *testing.T, text string) offsets {
	t.Helper()
	if text == "" {
		return nil
	}
	set, err := parseOffsets(text)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
