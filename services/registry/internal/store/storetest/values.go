package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eventprospect/services/registry/internal/registry"
)

// recordsStayAsTheyAre: what was written is what all are told, by a change and by a load.
func recordsStayAsTheyAre(t *testing.T, open func() registry.Store) {
	a, b := openedTwice(t, open)
	seenA, _ := Follow(t, a)
	seenB, _ := Follow(t, b)
	want := values()
	create(t, a, want...)
	create(t, a, Sample("zzz-last"))
	seenB.UntilKnows("zzz-last")
	again, _ := Follow(t, opened(t, open))
	for name, seen := range map[string]*Recorder{"the writer": seenA, "another": seenB, "a later one": again} {
		got := seen.All()
		got = got[:len(got)-1]
		same := cmp.Options{cmpopts.EquateEmpty(), cmpopts.IgnoreFields(registry.Record{}, "Revision")}
		if diff := cmp.Diff(want, got, same); diff != "" {
			t.Errorf("%s is told something else:\n%s", name, diff)
		}
	}
}

// values are records with what an engine may get wrong, by id.
func values() []registry.Record {
	bare := registry.Record{
		Instance: registry.Instance{Key: Key("a-bare"), Address: "h:1", Reported: registry.Down, JoinTime: at, UpdateTime: at},
		Owner:    registry.Node{Name: "n", Run: "r"}, Term: time.Nanosecond,
	}
	full := Sample("b-full")
	full.Instance.Override, full.Instance.Leased, full.Instance.Weight = registry.OutOfService, true, 1<<32-1
	full.Instance.Details = []byte("\x00\xff\xfe<xml/>\n")
	full.Owner, full.Term = registry.Node{Name: "registry/0 é", Run: "1/2"}, 90*time.Second+time.Microsecond
	texts := Sample("c-texts")
	texts.Instance.Zone = "Génie 日本語 👩‍🔬 <&> \"'\\ \u0000\u2028\u0001 e\u0301"
	texts.Instance.Metadata = map[string]string{
		"": "empty key", "empty": "", "日本語": "👩‍🔬", "a/b.c": "x/y", "zero": "\x00", "line": "a\r\nb", "<&>": "<&>",
	}
	texts.Instance.Details = []byte{}
	years := Sample("d-years")
	years.Instance.JoinTime = time.Date(1970, 1, 1, 0, 0, 0, 1000, time.UTC)
	years.Instance.UpdateTime = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	all := []registry.Record{bare, full, texts, years}
	for status := registry.Up; status <= registry.Unknown; status++ {
		s := Sample("e-status-" + string(rune('0'+status)))
		s.Instance.Reported, s.Instance.Override = status, status
		all = append(all, s)
	}
	return all
}

// keysAreComparedExactly has names that some engine may take for the same, or for its own.
func keysAreComparedExactly(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	names := []string{
		"a", "A", "a ", " a", "a/b", "a%2Fb", "a%", "%", "%zz", "/", "//", ".", "..", "host:app:8080", "e\u0301", "\u00e9", "😀", "a\x00", "instances", "a?b#c", "a+b",
	}
	for _, service := range names {
		for _, id := range names {
			record := Sample(id)
			record.Instance.Service, record.Instance.Zone = service, service+"|"+id
			create(t, s, record)
		}
	}
	again, _ := Follow(t, opened(t, open))
	for who, r := range map[string]*Recorder{"the writer": seen, "a later one": again} {
		for _, service := range names {
			for _, id := range names {
				if got := r.records[registry.Key{Service: service, ID: id}]; got.Instance.Zone != service+"|"+id || got.Instance.ID != id {
					t.Errorf("%s knows %q of %q as %+v", who, id, service, got.Instance)
				}
			}
		}
	}
}

// largeRecords come all at once, and together are larger than what some engine takes at once.
func largeRecords(t *testing.T, open func() registry.Store) {
	s := opened(t, open)
	seen, _ := Follow(t, s)
	text := strings.Repeat("🎪", 16<<10)
	failed := make(chan error)
	names := ids(64)
	for _, id := range names {
		go func() {
			record := Sample(id)
			record.Instance.Metadata["text"] = text
			failed <- s.Commit(t.Context(), registry.Change{Key: Key(id), Record: &record})
		}()
	}
	for range names {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	for _, id := range names {
		if got := seen.Must(id).Instance.Metadata["text"]; got != text {
			t.Errorf("%s has %d bytes of text, want %d", id, len(got), len(text))
		}
	}
}
