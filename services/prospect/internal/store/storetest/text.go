package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eventprospect/services/prospect/internal/prospect"
)

// alike are texts that some databases take for equal, or for more than text, in the order of their bytes.
func alike() []string {
	return []string{
		" it", "$set", "$where", "IT", "It", "a.b", "e\u0301t\u00e9", "it", "it\t", "it ", "it  ", "{\"$gt\": \"\"}",
		"\u00e9t\u00e9", "\u00ea", "\u2110T", strings.Repeat("🎪", 200), "👩‍🔬",
	}
}

// textsAreComparedByteByByte has ids and fields that are alike: each is found by itself, alone, and the order is the same
// whatever the engine.
func textsAreComparedByteByByte(t *testing.T, open func() Store) {
	s := opened(t, open)
	texts := alike()
	for _, text := range texts {
		p := sample(text, 0)
		p.Details = prospect.Details{FirstName: text, LastName: text + " ", FiledWork: text, IDEvent: text}
		create(t, s, p)
	}
	for _, text := range texts {
		want := sample(text, 0)
		want.Details = prospect.Details{FirstName: text, LastName: text + " ", FiledWork: text, IDEvent: text}
		if diff := cmp.Diff(want, get(t, s, text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		for _, filter := range []prospect.Filter{{FiledWork: text}, {IDEvent: text}, {FiledWork: text, IDEvent: text}} {
			found, err := s.List(t.Context(), prospect.Query{Filter: filter, Limit: 100})
			if err != nil || !slices.Equal(ids(found), []string{text}) {
				t.Errorf("%q: found %q, error %v", text, ids(found), err)
			}
			if n, err := s.Count(t.Context(), filter); err != nil || n != 1 {
				t.Errorf("%q: counted %d, error %v", text, n, err)
			}
		}
	}
	all, err := s.List(t.Context(), prospect.Query{Limit: 100})
	if err != nil || !slices.IsSorted(texts) || !slices.Equal(ids(all), texts) {
		t.Errorf("order %q, error %v", ids(all), err)
	}
}

// textsOfMessagesStay has a message whose key is a text that some databases take for more.
func textsOfMessagesStay(t *testing.T, open func() Store) {
	s := opened(t, open)
	for _, text := range alike() {
		m := message(text, "m of "+text)
		enqueue(t, s, m)
		claimed := claim(t, s, "relay", 10)
		if len(claimed) != 1 {
			t.Fatalf("%q: claimed %v", text, claimed)
		}
		if diff := cmp.Diff(m, claimed[0]); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		done(t, s, claimed...)
		wantWaiting(t, s)
	}
}
