package event_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/sqlite"
)

// begin is when the clock of the tests starts: in another zone, and finer than what is kept.
var begin = time.Date(2026, 11, 24, 1, 2, 3, 4567, time.FixedZone("far", 11*3600))

// newService makes a service on an empty store. Ids are id-1, id-2, ..., and the clock goes on by a second each time it is read.
func newService(t *testing.T) *event.Service {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "event.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	made, at := 0, begin
	newID := func() string { made++; return fmt.Sprint("id-", made) }
	return event.NewService(store, newID, func() time.Time { at = at.Add(time.Second); return at })
}

func create(t *testing.T, s *event.Service, plans event.Plans) event.Event {
	t.Helper()
	e, err := s.Create(t.Context(), plans)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCreate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	e := create(t, s, event.Plans{Name: "a", Date: "2026-11-23"})
	at := begin.Add(time.Second).UTC().Truncate(time.Microsecond)
	if e.ID != "id-1" || e.Created != at || e.Updated != at {
		t.Errorf("%+v", e)
	}
	if kept, err := s.Get(t.Context(), e.ID); err != nil || kept != e {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if named := create(t, s, event.Plans{Name: "a", ID: "mine"}); named.ID != "mine" {
		t.Errorf("%+v", named)
	}
	if _, err := s.Create(t.Context(), event.Plans{ID: "bad"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("no name: error %v", err)
	}
	if _, err := s.Get(t.Context(), "bad"); !fault.Is(err, fault.NotFound) {
		t.Errorf("what was refused is there: %v", err)
	}
}

func TestCreateWithATakenID(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := create(t, s, event.Plans{Name: "first", ID: "a"})
	if _, err := s.Create(t.Context(), event.Plans{Name: "second", ID: "a"}); !fault.Is(err, fault.AlreadyExists) {
		t.Errorf("error %v, want AlreadyExists", err)
	}
	again := create(t, s, event.Plans{Name: "second", ID: "a", Repeatable: true})
	if again != first {
		t.Errorf("%+v, want the one that is there", again)
	}
}

func TestUpdateAndDeleteAskForTheState(t *testing.T) {
	t.Parallel()
	s := newService(t)
	old := create(t, s, event.Plans{Name: "old", ID: "a"})
	name := "new"
	changed, err := s.Update(t.Context(), "a", old.ETag(), event.Change{Name: &name})
	if err != nil || changed.Name != name || changed.Version != 2 || !changed.Updated.After(old.Updated) {
		t.Fatalf("%+v, %v", changed, err)
	}
	if _, err := s.Update(t.Context(), "a", old.ETag(), event.Change{Name: &name}); !fault.Is(err, fault.Stale) {
		t.Errorf("update: error %v, want Stale", err)
	}
	if err := s.Delete(t.Context(), "a", old.ETag()); !fault.Is(err, fault.Stale) {
		t.Errorf("delete: error %v, want Stale", err)
	}
	if err := s.Delete(t.Context(), "a", changed.ETag()); err != nil {
		t.Error(err)
	}
	for _, err := range []error{s.Delete(t.Context(), "a", ""), func() error { _, err := s.Update(t.Context(), "a", "", event.Change{}); return err }()} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("error %v, want NotFound", err)
		}
	}
}

func TestListTellsWhetherMoreFollows(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for range 3 {
		create(t, s, event.Plans{Name: "a", Date: "2026-11-23"})
	}
	for limit, want := range map[int]bool{1: true, 2: true, 3: false, 4: false} {
		found, more, err := s.List(t.Context(), event.Filter{Date: "2026-11-23"}, event.Place{}, limit)
		if err != nil || more != want || len(found) != min(limit, 3) {
			t.Errorf("limit %d: %d found, more %v, %v", limit, len(found), more, err)
		}
	}
	if _, _, err := s.List(t.Context(), event.Filter{Date: "2026-02-30"}, event.Place{}, 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("no such day: error %v", err)
	}
}

func TestFindByDate(t *testing.T) {
	t.Parallel()
	s := newService(t)
	first := create(t, s, event.Plans{Name: "z", Date: "2026-11-23", ID: "z"})
	create(t, s, event.Plans{Name: "a", Date: "2026-11-23", ID: "a"})
	found, total, err := s.FindByDate(t.Context(), "2026-11-23")
	if err != nil || found != first || total != 2 {
		t.Errorf("%+v of %d, %v", found, total, err)
	}
	if _, _, err := s.FindByDate(t.Context(), "2026-11-24"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no event: error %v", err)
	}
	if _, _, err := s.FindByDate(t.Context(), "2026-02-30"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no such day: error %v", err)
	}
}

func TestRecordOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	o := event.Occurrence{MessageID: "m", EventID: "e", Kind: event.ProspectCreated, ProspectID: "p", Time: begin}
	for i, want := range []int{1, 0} {
		if added, err := s.Record(t.Context(), o); err != nil || added != want {
			t.Errorf("record %d: added %v, %v", i+1, added, err)
		}
	}
	if e, err := s.Get(t.Context(), "e"); err != nil || e.Date != "2026-11-23" || e.ProspectID != "p" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := s.Record(t.Context(), event.Occurrence{MessageID: "n", EventID: "f", Kind: "OTHER"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown kind: error %v", err)
	}
}

func TestRestoreWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	of := func(n int) event.Occurrence {
		return event.Occurrence{MessageID: fmt.Sprint("m", n), EventID: fmt.Sprint("e", n), Kind: event.ProspectCreated, ProspectID: "p", Time: begin}
	}
	if added, err := s.Record(t.Context(), of(1), of(2)); err != nil || added != 2 {
		t.Fatalf("added %d, %v", added, err)
	}
	if err := s.Delete(t.Context(), "e1", ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 0} {
		if added, err := s.Restore(t.Context(), of(1), of(2), of(3)); err != nil || added != want {
			t.Errorf("added %d, %v; want %d", added, err, want)
		}
	}
	bad := of(4)
	bad.Kind = "OTHER"
	if _, err := s.Restore(t.Context(), of(5), bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown kind: error %v", err)
	}
	if _, err := s.Get(t.Context(), "e5"); !fault.Is(err, fault.NotFound) {
		t.Errorf("one of a batch that was refused is there: %v", err)
	}
}
