package prospect_test

import (
	"errors"
	"strings"
	"testing"

	"eventprospect/mesh/fault"
	"eventprospect/services/prospect/internal/prospect"
)

func wantFull(t *testing.T, what string, err error) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Exhausted || f.RetryAfter <= 0 || !strings.HasPrefix(f.Message, "2 changes wait to be published") {
		t.Errorf("%s: error %v, want Exhausted with what is wrong and when to try again", what, err)
	}
}

// TestTooManyChangesWait has an outbox that is full: nothing is changed then, all can be read, and it is over when something was published.
func TestTooManyChangesWait(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, 2)
	first := f.create(t, prospect.Meeting{ID: "first", Details: ada})
	f.create(t, prospect.Meeting{ID: "second", Details: ada})
	change := prospect.Change{FirstName: text("Grace")}
	asked := len(f.events.asked)
	_, err := f.Create(t.Context(), prospect.Meeting{ID: "third", Details: ada})
	wantFull(t, "create", err)
	_, err = f.Update(t.Context(), first.ID, "", change)
	wantFull(t, "update", err)
	wantFull(t, "delete", f.Delete(t.Context(), first.ID, ""))
	if got := len(f.events.asked); got != asked {
		t.Error("another service was asked for a change that can't be")
	}
	all, total, err := f.Page(t.Context(), 0, 10)
	if err != nil || total != 2 || len(all) != 2 || all[0] != first {
		t.Errorf("%v, %d, error %v: want what was there before", all, total, err)
	}
	if got := f.waiting(t); got != 2 || len(f.woken) != 2 {
		t.Errorf("%d messages wait, the relay was woken %d times", got, len(f.woken))
	}
	if _, err := f.Create(t.Context(), prospect.Meeting{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("error %v, want what is wrong with the request", err)
	}
	claimed, err := f.store.Claim(t.Context(), "test", 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.room.Remove(1, func() error { return f.store.Done(t.Context(), claimed) }); err != nil {
		t.Fatal(err)
	}
	if p, err := f.Update(t.Context(), first.ID, "", change); err != nil || p.FirstName != "Grace" {
		t.Errorf("%+v, error %v, though there is room", p, err)
	}
}

// TestWhatIsRefusedTakesNoRoom has changes that fail for other reasons.
func TestWhatIsRefusedTakesNoRoom(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, 2)
	p := f.create(t, prospect.Meeting{Details: ada})
	for range 3 {
		if _, err := f.Update(t.Context(), p.ID, "other", prospect.Change{FirstName: text("Grace")}); !fault.Is(err, fault.Stale) {
			t.Errorf("error %v", err)
		}
		if err := f.Delete(t.Context(), "none", ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("error %v", err)
		}
		if _, err := f.Create(t.Context(), prospect.Meeting{ID: p.ID, Details: ada}); !fault.Is(err, fault.AlreadyExists) {
			t.Errorf("error %v", err)
		}
	}
	f.create(t, prospect.Meeting{Details: ada})
}

// TestWhatChangesNothingTakesNoRoom, and wakes nobody: it has no message.
func TestWhatChangesNothingTakesNoRoom(t *testing.T) {
	t.Parallel()
	f := newFixtureWith(t, 2)
	p := f.create(t, prospect.Meeting{Details: ada})
	for range 3 {
		if got, err := f.Update(t.Context(), p.ID, "", prospect.Change{FirstName: text(ada.FirstName)}); err != nil || got != p {
			t.Errorf("%+v, error %v", got, err)
		}
	}
	if len(f.woken) != 1 {
		t.Errorf("the relay was woken %d times", len(f.woken))
	}
	f.create(t, prospect.Meeting{Details: ada})
}
