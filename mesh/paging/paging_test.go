package paging

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/fault"
)

func TestSize(t *testing.T) {
	t.Parallel()
	for asked, want := range map[int32]int{0: 20, 1: 1, 20: 20, 99: 99, 100: 100, 101: 100, math.MaxInt32: 100} {
		if got := Size(asked); got != want {
			t.Errorf("%d: %d, want %d", asked, got, want)
		}
	}
}

func TestTokenRoundTrip(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)
	cursors := map[string]Cursor{
		"usual":     {at, "0195f0c8-0000-7000-8000-000000000001"},
		"zone":      {at.In(time.FixedZone("far", -11*3600)), "a"},
		"text":      {at, "日本\"'\\ \n"},
		"long ago":  {time.Date(1900, 1, 1, 0, 0, 0, 1000, time.UTC), "a"},
		"long id":   {at, strings.Repeat("a", 128)},
		"empty id":  {at, ""},
		"far ahead": {time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), "z"},
	}
	for name, c := range cursors {
		text := Token(c, "kind", "prospect")
		got, err := Parse(text, "kind", "prospect")
		if err != nil || !got.Created.Equal(c.Created) || got.Created.Location() != time.UTC || got.ID != c.ID {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if len(text) > 1024 {
			t.Errorf("%s: the token has %d characters, more than the contract allows", name, len(text))
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := Token(Cursor{time.UnixMicro(1), "a"}, "x", "y")
	encode := base64.RawURLEncoding.EncodeToString
	cases := map[string]struct {
		text    string
		filters []string
	}{
		"other filter":     {good, []string{"x", "z"}},
		"less filters":     {good, []string{"x"}},
		"more filters":     {good, []string{"x", "y", ""}},
		"shifted filters":  {good, []string{"xy", ""}},
		"no filters":       {good, nil},
		"not base64":       {"!?", []string{"x", "y"}},
		"cut":              {good[:len(good)-4], []string{"x", "y"}},
		"longer":           {good + "AAAA", []string{"x", "y"}},
		"not json":         {encode([]byte("hello")), []string{"x", "y"}},
		"other json":       {encode([]byte(`{"c":1,"i":"a"}`)), []string{"x", "y"}},
		"wrong type":       {encode([]byte(`{"c":"1"}`)), []string{"x", "y"}},
		"number too large": {encode([]byte(`{"c":99999999999999999999}`)), []string{"x", "y"}},
		"null":             {encode([]byte(`null`)), nil},
	}
	for name, c := range cases {
		_, err := Parse(c.text, c.filters...)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Violations) != 1 || f.Violations[0].Field != "page_token" {
			t.Errorf("%s: error %v, want page_token to be refused", name, err)
		}
	}
	if c, err := Parse("", "x"); err != nil || c != (Cursor{}) {
		t.Errorf("no token: %v, %v", c, err)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		number, asked int32
		total         int
		size          int32
		offset, pages int
		last          bool
	}{
		"default":          {0, 0, 21, 20, 0, 2, false},
		"nothing":          {0, 10, 0, 10, 0, 0, true},
		"one":              {0, 10, 1, 10, 0, 1, true},
		"just full":        {0, 10, 10, 10, 0, 1, true},
		"one more":         {0, 10, 11, 10, 0, 2, false},
		"second":           {1, 10, 11, 10, 10, 2, true},
		"past the end":     {7, 10, 11, 10, 70, 2, true},
		"clamped":          {2, 1000, 1000, 100, 200, 10, false},
		"largest number":   {math.MaxInt32, 100, 11, 100, math.MaxInt32 * 100, 1, true},
		"largest and many": {math.MaxInt32, 1, math.MaxInt32, 1, math.MaxInt32, math.MaxInt32, true},
	}
	for name, c := range cases {
		p := NewPage(c.number, c.asked)
		if p.Size != c.size || p.Offset() != c.offset || p.Pages(c.total) != c.pages || p.Last(c.total) != c.last {
			t.Errorf("%s: size %d, offset %d, %d pages, last %v", name, p.Size, p.Offset(), p.Pages(c.total), p.Last(c.total))
		}
	}
}

func TestPageable(t *testing.T) {
	t.Parallel()
	p := NewPage(3, 7).Pageable()
	if p.GetPageNumber() != 3 || p.GetPageSize() != 7 || p.GetOffset() != 21 || !p.GetPaged() || p.GetUnpaged() {
		t.Errorf("%v", p)
	}
	if s := p.GetSort(); s.GetSorted() || !s.GetUnsorted() || !s.GetEmpty() {
		t.Errorf("sort %v", s)
	}
	if got := NewPage(math.MaxInt32, 100).Pageable().GetOffset(); got != math.MaxInt32 {
		t.Errorf("the largest page has offset %d", got)
	}
}
