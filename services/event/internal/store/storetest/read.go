package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
)

func getMissing(t *testing.T, open func() Store) {
	s := opened(t, open)
	create(t, s, sample("a", 0))
	_, err := s.Get(t.Context(), "a", "none", "neither")
	wantFault(t, err, fault.NotFound)
	if want := fault.Missing(event.Resource, "none").Message; err.Error() != want {
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
}

func getNone(t *testing.T, open func() Store) {
	found, err := opened(t, open).Get(t.Context())
	if err != nil || len(found) != 0 {
		t.Errorf("%v, error %v; want nothing", found, err)
	}
}

func ids(events []event.Event) []string {
	all := make([]string, len(events))
	for i, e := range events {
		all[i] = e.ID
	}
	return all
}

// listPagesCoverAllOnce uses equal times, so that only the ids tell entries apart.
func listPagesCoverAllOnce(t *testing.T, open func() Store) {
	const total, size = 53, 10
	s := opened(t, open)
	var want []string
	for i := range total {
		e := sample(fmt.Sprintf("e%03d", i), i/7)
		want = append(want, e.ID)
		create(t, s, e)
	}
	var byPlace, byOffset []string
	var after event.Place
	for offset := 0; ; offset += size {
		page, err := s.List(t.Context(), event.Query{After: after, Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		numbered, err := s.List(t.Context(), event.Query{Offset: offset, Limit: size})
		if err != nil {
			t.Fatal(err)
		}
		byPlace, byOffset = append(byPlace, ids(page)...), append(byOffset, ids(numbered)...)
		if len(page) < size {
			break
		}
		last := page[len(page)-1]
		after = event.Place{Created: last.Created, ID: last.ID}
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
	planned, created, updated := sample("planned", 0), sample("created", 1), sample("updated", 2)
	planned.Date = "2027-01-01"
	created.Kind, created.ProspectID = event.ProspectCreated, "p"
	updated.Kind, updated.ProspectID = event.ProspectUpdated, "p"
	create(t, s, planned, created, updated)
	cases := map[string]struct {
		filter event.Filter
		want   []string
	}{
		"none":     {event.Filter{}, []string{"planned", "created", "updated"}},
		"kind":     {event.Filter{Kind: event.Planned}, []string{"planned"}},
		"prospect": {event.Filter{ProspectID: "p"}, []string{"created", "updated"}},
		"date":     {event.Filter{Date: "2027-01-01"}, []string{"planned"}},
		"both":     {event.Filter{ProspectID: "p", Kind: event.ProspectUpdated}, []string{"updated"}},
		"no match": {event.Filter{ProspectID: "q"}, []string{}},
	}
	for name, c := range cases {
		found, err := s.List(t.Context(), event.Query{Filter: c.filter, Limit: 10})
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
