package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
)

// idsAreComparedExactly has ids and prospects that some engine's usual comparison takes for the same.
func idsAreComparedExactly(t *testing.T, open func() Store) {
	s := opened(t, open)
	texts := []string{"abc", "ABC", "a", "a ", " a", "e\u0301", "\u00e9", "e", "ß", "ss", "😀", "😁", "ﬁ", "fi"}
	for i, text := range texts {
		e := sample(text, i)
		e.ProspectID = text
		wantApplied(t, s, 1, tells(text, e))
	}
	for _, text := range texts {
		if got := get(t, s, text); got.ID != text || got.Name != "name of "+text {
			t.Errorf("get %q: %+v", text, got)
		}
		found, err := s.List(t.Context(), event.Query{Filter: event.Filter{ProspectID: text}, Limit: 100})
		if err != nil || !slices.Equal(ids(found), []string{text}) {
			t.Errorf("list %q: %q, error %v", text, ids(found), err)
		}
	}
	for _, text := range []string{"Abc", "abc ", "a  ", "\ta", "é ", "É"} {
		_, err := s.Get(t.Context(), text)
		wantFault(t, err, fault.NotFound)
	}
}

func timeZoneAndMicroseconds(t *testing.T, open func() Store) {
	s := opened(t, open)
	e := sample("a", 0)
	e.Created = e.Created.In(time.FixedZone("far", 11*3600))
	create(t, s, e)
	got := get(t, s, "a")
	if !got.Created.Equal(now) || got.Created.Location() != time.UTC {
		t.Errorf("created %v, want %v", got.Created, now)
	}
}

func firstAndLastYear(t *testing.T, open func() Store) {
	s := opened(t, open)
	for i, at := range []time.Time{
		time.Date(1970, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC),
	} {
		e := sample(fmt.Sprint("e", i), 0)
		e.Created, e.Updated, e.Date = at, at, at.Format(time.DateOnly)
		create(t, s, e)
		if diff := cmp.Diff(e, get(t, s, e.ID)); diff != "" {
			t.Error(diff)
		}
	}
	found, err := s.List(t.Context(), event.Query{Limit: 100})
	if err != nil || !slices.Equal(ids(found), []string{"e0", "e1", "e2"}) {
		t.Errorf("list: %q, error %v", ids(found), err)
	}
}

func emptyAndUnicodeText(t *testing.T, open func() Store) {
	s := opened(t, open)
	texts := []string{
		"", "Génie civil", "R&D / IT", "日本語", "👩‍🔬🎪", "'; DROP TABLE events; --", "100 %_", "e\u0301", "\u00e9",
		" spaces ", "end ", "end  ", "tab\t", "line\nbreak\r\n", `back\slash\0 ` + "`'\"", "\u0001\u001a\u007f\ufffd\ufeff\U0010ffff",
	}
	for i, text := range texts {
		e := sample(fmt.Sprintf("e%02d", i), i)
		e.Name, e.Date = text, ""
		create(t, s, e)
	}
	found, err := s.List(t.Context(), event.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(found, texts, func(e event.Event, text string) bool { return e.Name == text && e.Date == "" }) {
		t.Errorf("texts changed: %+v", found)
	}
}

// longestTextFits: the contract counts characters, of which one may be four bytes.
func longestTextFits(t *testing.T, open func() Store) {
	s := opened(t, open)
	e := sample(strings.Repeat("i", 128), 0)
	e.Name, e.ProspectID = strings.Repeat("🎪", 200), strings.Repeat("🎪", 128)
	told := tells(strings.Repeat("m", 128), e)
	wantApplied(t, s, 1, told)
	if diff := cmp.Diff(told.Event, get(t, s, e.ID)); diff != "" {
		t.Error(diff)
	}
}

// zeroCharacterIsNowhere: the domain lets no text with U+0000 in, and nothing is found by one.
func zeroCharacterIsNowhere(t *testing.T, open func() Store) {
	const zero = "a\x00"
	s := opened(t, open)
	create(t, s, sample("a", 0))
	_, err := s.Get(t.Context(), "a", zero)
	wantFault(t, err, fault.NotFound)
	_, err = s.Update(t.Context(), zero, func(*event.Event) error { return nil })
	wantFault(t, err, fault.NotFound)
	wantFault(t, s.Delete(t.Context(), zero, func(event.Event) error { return nil }), fault.NotFound)
	for _, f := range []event.Filter{{ProspectID: zero}, {Date: zero}, {Kind: zero}} {
		if found, err := s.List(t.Context(), event.Query{Filter: f, Limit: 1}); err != nil || len(found) != 0 {
			t.Errorf("list %+v: %v, error %v", f, found, err)
		}
		if n, err := s.Count(t.Context(), f); err != nil || n != 0 {
			t.Errorf("count %+v: %d, error %v", f, n, err)
		}
	}
}

// listAfterAnyPlace: a client may make up the place after which a list goes on.
func listAfterAnyPlace(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0), sample("a1", 0), sample("b", 1))
	service := event.NewService(s, func() string { return "" }, time.Now)
	for name, c := range map[string]struct {
		after event.Place
		want  []string
	}{
		"first":             {event.Place{}, []string{"a", "a1", "b"}},
		"far past":          {event.Place{Created: time.UnixMicro(math.MinInt64), ID: "x"}, []string{"a", "a1", "b"}},
		"year 1":            {event.Place{ID: "x"}, []string{"a", "a1", "b"}},
		"far future":        {event.Place{Created: time.UnixMicro(math.MaxInt64), ID: ""}, nil},
		"zero character":    {event.Place{Created: now, ID: "a\x00b"}, []string{"a1", "b"}},
		"an id that is not": {event.Place{Created: now, ID: "a0"}, []string{"a1", "b"}},
	} {
		found, more, err := service.List(t.Context(), event.Filter{}, c.after, 10)
		if err != nil || more || !slices.Equal(ids(found), c.want) {
			t.Errorf("%s: %q, more %v, error %v; want %q", name, ids(found), more, err, c.want)
		}
	}
}
