package event

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/fault"
)

var now = time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)

// refused gives the fields that an error refuses; nil if it is no refusal.
func refused(err error) []string {
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		return nil
	}
	var fields []string
	for _, v := range f.Violations {
		fields = append(fields, v.Field)
	}
	return fields
}

func TestPlan(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		name, date string
		want       []string // the fields refused
	}{
		"usual":              {"Conference", "2026-11-23", nil},
		"no date yet":        {"Conference", "", nil},
		"leap day":           {"Conference", "2028-02-29", nil},
		"200 emoji":          {strings.Repeat("🎪", 200), "", nil},
		"blanks around":      {" a ", "", nil},
		"empty":              {"", "", []string{"name"}},
		"only blanks":        {" \t\n\u00a0", "", []string{"name"}},
		"201 characters":     {strings.Repeat("é", 201), "", []string{"name"}},
		"zero character":     {"a\x00b", "", []string{"name"}},
		"no such day":        {"Conference", "2026-02-30", []string{"date_event"}},
		"no leap year":       {"Conference", "2026-02-29", []string{"date_event"}},
		"month 13":           {"Conference", "2026-13-01", []string{"date_event"}},
		"other format":       {"Conference", "23.11.2026", []string{"date_event"}},
		"short":              {"Conference", "2026-1-1", []string{"date_event"}},
		"with a time":        {"Conference", "2026-11-23T10:00:00Z", []string{"date_event"}},
		"blank date":         {"Conference", " ", []string{"date_event"}},
		"both wrong at once": {"", "never", []string{"name", "date_event"}},
	}
	for name, c := range cases {
		e, err := Plan("id", c.name, c.date, now)
		if !slices.Equal(refused(err), c.want) {
			t.Errorf("%s: refused %v (%v), want %v", name, refused(err), err, c.want)
		}
		want := Event{ID: "id", Name: c.name, Date: c.date, Kind: Planned, Created: now, Updated: now, Version: 1}
		if c.want == nil && e != want {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestRecordTellsOfAProspect(t *testing.T) {
	t.Parallel()
	far := time.FixedZone("far", 11*3600)
	cases := map[Kind]string{ProspectCreated: "Prospect created", ProspectUpdated: "Prospect updated", ProspectDeleted: "Prospect deleted"}
	for kind, name := range cases {
		e, err := Record("id", kind, "p", time.Date(2026, 11, 24, 3, 0, 0, 0, far), now)
		want := Event{ID: "id", Name: name, Date: "2026-11-23", Kind: kind, ProspectID: "p", Created: now, Updated: now, Version: 1}
		if err != nil || e != want {
			t.Errorf("%s: %+v, %v", kind, e, err)
		}
	}
	for _, kind := range []Kind{Planned, "", "OTHER"} {
		if _, err := Record("id", kind, "p", now, now); !slices.Equal(refused(err), []string{"kind"}) {
			t.Errorf("%q: error %v", kind, err)
		}
	}
	if _, err := Record("id", ProspectCreated, "p\x00", now, now); !slices.Equal(refused(err), []string{"prospect_id"}) {
		t.Errorf("a zero character: error %v", err)
	}
}

func TestChange(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	before := Event{ID: "id", Name: "old", Date: "2026-11-23", Kind: Planned, Created: now, Updated: now, Version: 3}
	later := now.Add(time.Second)
	cases := map[string]struct {
		change     Change
		name, date string
		version    int64
		refused    []string
	}{
		"name":                       {Change{Name: text("new")}, "new", "2026-11-23", 4, nil},
		"date":                       {Change{Date: text("2027-01-01")}, "old", "2027-01-01", 4, nil},
		"date cleared":               {Change{Date: text("")}, "old", "", 4, nil},
		"both":                       {Change{text("new"), text("")}, "new", "", 4, nil},
		"nothing":                    {Change{}, "old", "2026-11-23", 3, nil},
		"the same":                   {Change{text("old"), text("2026-11-23")}, "old", "2026-11-23", 3, nil},
		"name cleared":               {Change{Name: text("")}, "old", "2026-11-23", 3, []string{"name"}},
		"one of two is wrong":        {Change{text("new"), text("never")}, "old", "2026-11-23", 3, []string{"date_event"}},
		"both wrong":                 {Change{text(" "), text("never")}, "old", "2026-11-23", 3, []string{"name", "date_event"}},
		"the name has 201 character": {Change{Name: text(strings.Repeat("a", 201))}, "old", "2026-11-23", 3, []string{"name"}},
	}
	for name, c := range cases {
		e := before
		err := e.Change(c.change, later)
		if !slices.Equal(refused(err), c.refused) {
			t.Errorf("%s: refused %v (%v), want %v", name, refused(err), err, c.refused)
		}
		want := before
		if c.version > before.Version {
			want.Name, want.Date, want.Updated, want.Version = c.name, c.date, later, c.version
		}
		if e != want {
			t.Errorf("%s: %+v, want %+v", name, e, want)
		}
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	e := Event{ID: "id", Updated: now, Version: 1}
	newer, anew := e, e
	newer.Version++
	anew.Updated = anew.Updated.Add(time.Microsecond) // deleted, and the id used for another one
	if e.ETag() == newer.ETag() || e.ETag() == anew.ETag() {
		t.Errorf("one etag for two states: %q, %q, %q", e.ETag(), newer.ETag(), anew.ETag())
	}
	for _, etag := range []string{"", e.ETag()} {
		if err := e.CheckETag(etag); err != nil {
			t.Errorf("%q: %v", etag, err)
		}
	}
	for _, etag := range []string{newer.ETag(), anew.ETag(), "*", "other"} {
		if err := e.CheckETag(etag); !fault.Is(err, fault.Stale) {
			t.Errorf("%q: error %v, want Stale", etag, err)
		}
	}
}
