package prospect_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
	"eventprospect/services/prospect/internal/store/sqlite"
)

// begin is when the clock of the tests starts: in another zone, and finer than what is kept.
var begin = time.Date(2026, 11, 24, 1, 2, 3, 4567, time.FixedZone("far", 11*3600))

// catalogue is the events that there are, or an error.
type catalogue struct {
	ids   []string
	err   error
	asked []string
}

func (c *catalogue) Exists(_ context.Context, id string) (bool, error) {
	c.asked = append(c.asked, id)
	return slices.Contains(c.ids, id), c.err
}

// fixture is a service on an empty store, and what surrounds it.
type fixture struct {
	*prospect.Service
	store     *sqlite.Store
	room      *outbox.Room
	events    *catalogue
	announced []prospect.Announcement
	encodeErr error
	// woken is how many messages the outbox had each time the relay was woken.
	woken []int
}

// newFixture makes a service that knows the events e and f. Ids are id-1, id-2, ..., and the clock goes on by a second each time it
// is read.
func newFixture(t *testing.T) *fixture { return newFixtureWith(t, 0) }

// newFixtureWith makes one whose outbox has room for so many messages; 0: any number.
func newFixtureWith(t *testing.T, room int) *fixture {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "prospect.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	f := &fixture{store: store, room: outbox.NewRoom(room), events: &catalogue{ids: []string{"e", "f"}}}
	made, at := 0, begin
	encode := func(_ context.Context, a prospect.Announcement) (outbox.Message, error) {
		f.announced = append(f.announced, a)
		return outbox.Message{ID: fmt.Sprint("m", len(f.announced)), Key: a.ProspectID, Time: a.Time, Payload: []byte("x")}, f.encodeErr
	}
	newID := func() string { made++; return fmt.Sprint("id-", made) }
	f.Service = prospect.NewService(store, f.events, encode, f.room, func() { f.woken = append(f.woken, f.waiting(t)) }, newID,
		func() time.Time { at = at.Add(time.Second); return at })
	return f
}

// waiting is how many messages the outbox holds.
func (f *fixture) waiting(t *testing.T) int {
	claimed, err := f.store.Claim(t.Context(), "test", 1000, time.Hour)
	if err != nil {
		t.Error(err)
	}
	return len(claimed)
}

func (f *fixture) create(t *testing.T, m prospect.Meeting) prospect.Prospect {
	t.Helper()
	p, err := f.Create(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var ada = prospect.Details{FirstName: "Ada", LastName: "Lovelace", FiledWork: "IT", IDEvent: "e"}

func text(s string) *string { return &s }

func wantRefused(t *testing.T, err error, field string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Violations) != 1 || f.Violations[0].Field != field {
		t.Errorf("error %v, want %s to be refused", err, field)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.create(t, prospect.Meeting{Details: ada})
	at := begin.Add(time.Second).UTC().Truncate(time.Microsecond)
	if want := (prospect.Prospect{ID: "id-1", Details: ada, Created: at, Updated: at, Version: 1}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	if kept, err := f.Get(t.Context(), p.ID); err != nil || kept != p {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if _, err := f.Create(t.Context(), prospect.Meeting{Details: prospect.Details{FirstName: "Ada"}}); err == nil {
		t.Error("no last name, no error")
	} else {
		wantRefused(t, err, "last_name")
	}
	if !slices.Equal(f.woken, []int{1}) {
		t.Errorf("woken with %v messages waiting", f.woken)
	}
}

func TestCreateWithATakenID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	other := prospect.Details{FirstName: "Grace", LastName: "Hopper"}
	if _, err := f.Create(t.Context(), prospect.Meeting{Details: other, ID: "a"}); !fault.Is(err, fault.AlreadyExists) {
		t.Errorf("error %v, want AlreadyExists", err)
	}
	if again := f.create(t, prospect.Meeting{Details: other, ID: "a", Repeatable: true}); again != first {
		t.Errorf("%+v, want the one that is there", again)
	}
	if n := f.waiting(t); n != 1 || len(f.woken) != 1 {
		t.Errorf("%d messages, woken %d times, want 1", n, len(f.woken))
	}
}

func TestAnnouncements(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	steps := []func() error{
		func() error {
			_, err := f.Update(t.Context(), "a", "", prospect.Change{LastName: text("Byron"), FiledWork: text("")})
			return err
		},
		func() error { // changes nothing
			_, err := f.Update(t.Context(), "a", "", prospect.Change{LastName: text("Byron")})
			return err
		},
		func() error { return f.Delete(t.Context(), "a", "") },
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	// The clock has gone on by a second for the change that was none.
	at := func(n int) time.Time { return p.Created.Add(time.Duration(n) * time.Second) }
	all := []string{"first_name", "last_name", "filed_work", "id_event"}
	want := []prospect.Announcement{
		{Kind: prospect.Created, ProspectID: "a", Version: 1, Changed: all, FiledWork: "IT", IDEvent: "e", Time: at(0)},
		{Kind: prospect.Updated, ProspectID: "a", Version: 2, Changed: []string{"last_name", "filed_work"}, IDEvent: "e", Time: at(1)},
		{Kind: prospect.Deleted, ProspectID: "a", Version: 3, IDEvent: "e", Time: at(3)},
	}
	if diff := cmp.Diff(want, f.announced); diff != "" {
		t.Error(diff)
	}
	if n := f.waiting(t); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func TestTheRelayIsWokenAfterEachCommit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	if _, err := f.Update(t.Context(), "a", "", prospect.Change{FirstName: text("A")}); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), "a", ""); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(f.woken, []int{1, 2, 3}) {
		t.Errorf("woken with %v messages waiting, want 1, 2 and 3", f.woken)
	}
	if err := f.Delete(t.Context(), "a", ""); !fault.Is(err, fault.NotFound) || len(f.woken) != 3 {
		t.Errorf("error %v, woken %d times", err, len(f.woken))
	}
}

func TestNothingChangesWithoutItsMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	f.encodeErr = errors.New("not encoded")
	calls := map[string]func() error{
		"create": func() error { _, err := f.Create(t.Context(), prospect.Meeting{Details: ada, ID: "b"}); return err },
		"update": func() error {
			_, err := f.Update(t.Context(), "a", "", prospect.Change{FirstName: text("A")})
			return err
		},
		"delete": func() error { return f.Delete(t.Context(), "a", "") },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, f.encodeErr) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if kept, err := f.Get(t.Context(), "a"); err != nil || kept != p {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if _, total, err := f.Page(t.Context(), 0, 10); err != nil || total != 1 {
		t.Errorf("%d prospects, %v", total, err)
	}
}

func TestTheEventMustExist(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	unknown := ada
	unknown.IDEvent = "none"
	_, err := f.Create(t.Context(), prospect.Meeting{Details: unknown})
	wantRefused(t, err, "id_event")
	p := f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	_, err = f.Update(t.Context(), "a", "", prospect.Change{IDEvent: text("none")})
	wantRefused(t, err, "id_event")
	if kept, err := f.Get(t.Context(), "a"); err != nil || kept != p {
		t.Errorf("kept %+v, %v", kept, err)
	}
	if changed, err := f.Update(t.Context(), "a", "", prospect.Change{IDEvent: text("f")}); err != nil || changed.IDEvent != "f" {
		t.Errorf("%+v, %v", changed, err)
	}
}

// TestWhatNeedsNoQuestionIsNotAsked has events that are away: only what needs them fails.
func TestWhatNeedsNoQuestionIsNotAsked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	away := fault.Away("the Event service", time.Second)
	f.events.asked, f.events.err = nil, away
	changes := []prospect.Change{
		{FirstName: text("A")},                    // another field
		{LastName: text("B"), IDEvent: text("e")}, // the event that it is already
		{IDEvent: text("")},                       // none any more
	}
	for _, change := range changes {
		if _, err := f.Update(t.Context(), "a", "", change); err != nil {
			t.Errorf("%+v: %v", change, err)
		}
	}
	f.create(t, prospect.Meeting{Details: prospect.Details{FirstName: "A", LastName: "B"}})
	if len(f.events.asked) > 0 {
		t.Errorf("asked for %v", f.events.asked)
	}
	if _, err := f.Create(t.Context(), prospect.Meeting{Details: ada}); !errors.Is(err, away) {
		t.Errorf("create: error %v", err)
	}
	if _, err := f.Update(t.Context(), "a", "", prospect.Change{IDEvent: text("f")}); !errors.Is(err, away) {
		t.Errorf("update: error %v", err)
	}
	if _, err := f.Update(t.Context(), "none", "", prospect.Change{IDEvent: text("f")}); !fault.Is(err, fault.NotFound) {
		t.Errorf("update of nobody: error %v", err)
	}
}

func TestUpdateAndDeleteAskForTheState(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old := f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	changed, err := f.Update(t.Context(), "a", old.ETag(), prospect.Change{FirstName: text("A")})
	if err != nil || changed.Version != 2 || !changed.Updated.After(old.Updated) {
		t.Fatalf("%+v, %v", changed, err)
	}
	if _, err := f.Update(t.Context(), "a", old.ETag(), prospect.Change{FirstName: text("B")}); !fault.Is(err, fault.Stale) {
		t.Errorf("update: error %v, want Stale", err)
	}
	if err := f.Delete(t.Context(), "a", old.ETag()); !fault.Is(err, fault.Stale) {
		t.Errorf("delete: error %v, want Stale", err)
	}
	if err := f.Delete(t.Context(), "a", changed.ETag()); err != nil {
		t.Error(err)
	}
}

func TestFindByFiledWork(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.create(t, prospect.Meeting{Details: ada, ID: "z"})
	f.create(t, prospect.Meeting{Details: ada, ID: "a"})
	if found, total, err := f.FindByFiledWork(t.Context(), "IT"); err != nil || found != first || total != 2 {
		t.Errorf("%+v of %d, %v", found, total, err)
	}
	if _, _, err := f.FindByFiledWork(t.Context(), "it"); !fault.Is(err, fault.NotFound) {
		t.Errorf("nobody: error %v", err)
	}
}
