package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/fault"
	"eventprospect/services/prospect/internal/prospect"
)

func getMissing(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0))
	_, err := s.Get(t.Context(), "a", "none", "neither")
	wantFault(t, err, fault.NotFound)
	if want := fault.Missing(prospect.Resource, "none").Message; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func getKeepsOrder(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0), sample("b", 1), sample("c", 2))
	asked := []string{"c", "a", "b", "a"}
	found, err := s.Get(t.Context(), asked...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asked, ids(found)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sample("c", 2), found[0]); diff != "" {
		t.Error(diff)
	}
}

func ids(prospects []prospect.Prospect) []string {
	all := make([]string, len(prospects))
	for i, p := range prospects {
		all[i] = p.ID
	}
	return all
}

// listPagesCoverAllOnce uses equal times, so that only the ids tell entries apart.
func listPagesCoverAllOnce(t *testing.T, open func() Store) {
	const total, size = 53, 10
	s := opened(t, open)
	var want []string
	for i := range total {
		p := sample(fmt.Sprintf("p%03d", i), i/7)
		want = append(want, p.ID)
		create(t, s, p)
	}
	var byPlace, byOffset []string
	var after prospect.Place
	for offset := 0; ; offset += size {
		page, err := s.List(t.Context(), prospect.Query{After: after, Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		numbered, err := s.List(t.Context(), prospect.Query{Offset: offset, Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		byPlace, byOffset = append(byPlace, ids(page)...), append(byOffset, ids(numbered)...)
		if len(page) < size {
			break
		}
		last := page[len(page)-1]
		after = prospect.Place{Created: last.Created, ID: last.ID}
	}
	if diff := cmp.Diff(want, byPlace); diff != "" {
		t.Errorf("by place: %s", diff)
	}
	if diff := cmp.Diff(want, byOffset); diff != "" {
		t.Errorf("by offset: %s", diff)
	}
}

func listFilters(t *testing.T, open func() Store) {
	s := opened(t, open)
	plain, it, both := sample("plain", 0), sample("it", 1), sample("both", 2)
	plain.FiledWork, plain.IDEvent = "", ""
	it.FiledWork, it.IDEvent = "IT", ""
	both.FiledWork, both.IDEvent = "IT", "e"
	create(t, s, plain, it, both)
	cases := map[string]struct {
		filter prospect.Filter
		want   []string
	}{
		"none":       {prospect.Filter{}, []string{"plain", "it", "both"}},
		"filed work": {prospect.Filter{FiledWork: "IT"}, []string{"it", "both"}},
		"event":      {prospect.Filter{IDEvent: "e"}, []string{"both"}},
		"both":       {prospect.Filter{FiledWork: "IT", IDEvent: "e"}, []string{"both"}},
		"case":       {prospect.Filter{FiledWork: "it"}, []string{}},
		"no match":   {prospect.Filter{IDEvent: "f"}, []string{}},
	}
	for name, c := range cases {
		found, err := s.List(t.Context(), prospect.Query{Filter: c.filter, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, ids(found)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if n, err := s.Count(t.Context(), c.filter); err != nil || n != len(c.want) {
			t.Errorf("%s: count %d, error %v; want %d", name, n, err, len(c.want))
		}
	}
}

func idsAreCaseSensitive(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("abc", 0), sample("ABC", 1))
	if lower, upper := get(t, s, "abc"), get(t, s, "ABC"); lower.FirstName == upper.FirstName {
		t.Errorf("%q is both", lower.FirstName)
	}
	_, err := s.Get(t.Context(), "Abc")
	wantFault(t, err, fault.NotFound)
}

func timeZoneAndMicroseconds(t *testing.T, open func() Store) {
	s := opened(t, open)
	p := sample("a", 0)
	p.Created = p.Created.In(time.FixedZone("far", 11*3600))
	create(t, s, p)
	got := get(t, s, "a")
	if !got.Created.Equal(now) || got.Created.Location() != time.UTC {
		t.Errorf("created %v, want %v", got.Created, now)
	}
}

func emptyAndUnicodeText(t *testing.T, open func() Store) {
	s := opened(t, open)
	texts := []string{"", "Génie civil", "R&D / IT", "日本語", "👩‍🔬🎪", "'; DROP TABLE prospects; --", "100 %_", " spaces ", "e\u0301", "\u00e9"}
	for i, text := range texts {
		p := sample(fmt.Sprint("p", i), i)
		p.Details = prospect.Details{FirstName: text, LastName: text, FiledWork: text}
		create(t, s, p)
	}
	found, err := s.List(t.Context(), prospect.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	same := func(p prospect.Prospect, text string) bool {
		return p.Details == prospect.Details{FirstName: text, LastName: text, FiledWork: text}
	}
	if !slices.EqualFunc(found, texts, same) {
		t.Errorf("texts changed: %v", found)
	}
}
