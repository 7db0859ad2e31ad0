package prospect

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

func TestNew(t *testing.T) {
	t.Parallel()
	long, longest := strings.Repeat("é", 201), strings.Repeat("👩", 200)
	cases := map[string]struct {
		details Details
		want    []string // the fields refused
	}{
		"usual":         {Details{"Ada", "Lovelace", "IT", "e"}, nil},
		"only names":    {Details{FirstName: "Ada", LastName: "Lovelace"}, nil},
		"200 emoji":     {Details{longest, longest, longest, "e"}, nil},
		"no first name": {Details{LastName: "Lovelace"}, []string{"first_name"}},
		"no last name":  {Details{FirstName: "Ada"}, []string{"last_name"}},
		"nothing":       {Details{}, []string{"first_name", "last_name"}},
		"only blanks":   {Details{FirstName: " \t", LastName: "\u00a0\n"}, []string{"first_name", "last_name"}},
		"too long":      {Details{long, long, long, long}, []string{"first_name", "last_name", "filed_work", "id_event"}},
		"U+0000":        {Details{"A\x00", "\x00L", "I\x00T", "\x00"}, []string{"first_name", "last_name", "filed_work", "id_event"}},
		"other control": {Details{"A\x01", "L\x7f", "I\tT", "e"}, nil},
		"one too long":  {Details{"Ada", "Lovelace", long, ""}, []string{"filed_work"}},
	}
	for name, c := range cases {
		p, err := New("id", c.details, now)
		if !slices.Equal(refused(err), c.want) {
			t.Errorf("%s: refused %v (%v), want %v", name, refused(err), err, c.want)
		}
		if want := (Prospect{ID: "id", Details: c.details, Created: now, Updated: now, Version: 1}); p != want {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	ada := Details{"Ada", "Lovelace", "IT", "e"}
	cases := map[string]struct {
		other Details
		want  []string
	}{
		"none":       {ada, nil},
		"all":        {Details{}, []string{"first_name", "last_name", "filed_work", "id_event"}},
		"first name": {Details{"ada", "Lovelace", "IT", "e"}, []string{"first_name"}},
		"last name":  {Details{"Ada", "Byron", "IT", "e"}, []string{"last_name"}},
		"filed work": {Details{"Ada", "Lovelace", "", "e"}, []string{"filed_work"}},
		"event":      {Details{"Ada", "Lovelace", "IT", "f"}, []string{"id_event"}},
	}
	for name, c := range cases {
		if got := ada.differences(c.other); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if got := c.other.differences(ada); !slices.Equal(got, c.want) {
			t.Errorf("%s, the other way: %v, want %v", name, got, c.want)
		}
	}
}

func text(s string) *string { return &s }

func TestChange(t *testing.T) {
	t.Parallel()
	before := Prospect{ID: "id", Details: Details{"Ada", "Lovelace", "IT", "e"}, Created: now, Updated: now, Version: 3}
	cases := map[string]struct {
		change  Change
		want    Details
		changed []string
		refused []string
	}{
		"nothing":             {Change{}, before.Details, nil, nil},
		"the same":            {Change{text("Ada"), text("Lovelace"), text("IT"), text("e")}, before.Details, nil, nil},
		"first name":          {Change{FirstName: text("A")}, Details{"A", "Lovelace", "IT", "e"}, []string{"first_name"}, nil},
		"last name":           {Change{LastName: text("L")}, Details{"Ada", "L", "IT", "e"}, []string{"last_name"}, nil},
		"filed work cleared":  {Change{FiledWork: text("")}, Details{"Ada", "Lovelace", "", "e"}, []string{"filed_work"}, nil},
		"event cleared":       {Change{IDEvent: text("")}, Details{"Ada", "Lovelace", "IT", ""}, []string{"id_event"}, nil},
		"one of two":          {Change{FirstName: text("Ada"), LastName: text("L")}, Details{"Ada", "L", "IT", "e"}, []string{"last_name"}, nil},
		"name cleared":        {Change{FirstName: text("")}, before.Details, nil, []string{"first_name"}},
		"U+0000":              {Change{FiledWork: text("I\x00T")}, before.Details, nil, []string{"filed_work"}},
		"one of two is wrong": {Change{FirstName: text("A"), LastName: text(" ")}, before.Details, nil, []string{"last_name"}},
	}
	for name, c := range cases {
		p := before
		changed, err := p.Change(c.change, now.Add(time.Second))
		if !slices.Equal(changed, c.changed) || !slices.Equal(refused(err), c.refused) {
			t.Errorf("%s: changed %v, %v", name, changed, err)
		}
		want := before
		if len(c.changed) > 0 {
			want.Details, want.Updated, want.Version = c.want, now.Add(time.Second), 4
		}
		if p != want {
			t.Errorf("%s: %+v, want %+v", name, p, want)
		}
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	p := Prospect{ID: "id", Updated: now, Version: 1}
	newer, anew := p, p
	newer.Version++
	anew.Updated = anew.Updated.Add(time.Microsecond) // deleted, and the id used for another one
	if p.ETag() == newer.ETag() || p.ETag() == anew.ETag() {
		t.Errorf("one etag for two states: %q, %q, %q", p.ETag(), newer.ETag(), anew.ETag())
	}
	for _, etag := range []string{"", p.ETag()} {
		if err := p.CheckETag(etag); err != nil {
			t.Errorf("%q: %v", etag, err)
		}
	}
	for _, etag := range []string{newer.ETag(), anew.ETag(), "*", "other"} {
		if err := p.CheckETag(etag); !fault.Is(err, fault.Stale) {
			t.Errorf("%q: error %v, want Stale", etag, err)
		}
	}
}
