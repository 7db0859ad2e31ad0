package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

// commands records what is sent to the server.
type commands struct {
	mu   sync.Mutex
	sent map[string]bson.Raw
}

func (c *commands) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.sent == nil {
			c.sent = map[string]bson.Raw{}
		}
		c.sent[e.CommandName] = slices.Clone(e.Command)
	}}
}

// last gives the last command of this name.
func (c *commands) last(name string) bson.Raw {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[name]
}

var ada = prospect.Details{FirstName: "Ada", LastName: "Lovelace", FiledWork: "secret work", IDEvent: "secret event"}

func sample(id string) prospect.Prospect {
	return prospect.Prospect{ID: id, Details: ada, Created: time.UnixMicro(1), Updated: time.UnixMicro(1), Version: 1}
}

func told(key string, n int) outbox.Message {
	return outbox.Message{ID: fmt.Sprint("m", n), Key: key, Time: time.UnixMicro(int64(n)), Payload: []byte{1}}
}

func do(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add stores a message with a change of its prospect.
func add(t testing.TB, s *Store, m outbox.Message) {
	t.Helper()
	_, err := s.Update(t.Context(), m.Key, func(p *prospect.Prospect) ([]outbox.Message, error) {
		p.Version++
		return []outbox.Message{m}, nil
	})
	do(t, err)
}

func remove(t testing.TB, s *Store, key string, messages ...outbox.Message) {
	t.Helper()
	do(t, s.Delete(t.Context(), key, func(prospect.Prospect) ([]outbox.Message, error) { return messages, nil }))
}

func claim(t testing.TB, s *Store, owner string) []string {
	t.Helper()
	claimed, err := s.Claim(t.Context(), owner, 10000, time.Hour)
	do(t, err)
	var ids []string
	for _, c := range claimed {
		ids = append(ids, c.ID)
	}
	return ids
}

// raw gives a document as it is stored; nil if there is none.
func raw(t testing.TB, s *Store, id string) bson.M {
	t.Helper()
	var all []bson.M
	cursor, err := s.prospects.Find(t.Context(), bson.M{"_id": id})
	do(t, err)
	do(t, cursor.All(t.Context(), &all))
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// wantQueued checks that a document is in the queue's index with these messages, or has no trace of the queue.
func wantQueued(t testing.TB, s *Store, id string, want ...string) {
	t.Helper()
	d := raw(t, s, id)
	pending, there := d["pending"].(bson.A)
	var got []string
	for _, m := range pending {
		for _, e := range m.(bson.D) {
			if e.Key == "id" {
				got = append(got, e.Value.(string))
			}
		}
	}
	_, indexed := d["waiting"]
	if !slices.Equal(got, want) || there != (len(want) > 0) || indexed != there {
		t.Errorf("%s: %v, want the messages %v", id, d, want)
	}
}

// TestCrashWhilePublished has a process die after each of the steps of Done: whatever is done by then, nothing blocks, nothing is
// lost, and the next Done ends it.
func TestCrashWhilePublished(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	for steps := range 4 {
		all, more, gone := fmt.Sprint("all", steps), fmt.Sprint("more", steps), fmt.Sprint("gone", steps)
		for _, key := range []string{all, more, gone} {
			do(t, s.Create(t.Context(), sample(key), told(key, 1)))
		}
		remove(t, s, gone, told(gone, 2))
		published := []outbox.Message{told(all, 1), told(more, 1), told(gone, 1), told(gone, 2)}
		claim(t, s, "dead")
		add(t, s, told(more, 3))
		removals, updates := doneSteps(published)
		for _, step := range append(removals, updates...)[:steps*(len(removals)+len(updates))/3] {
			_, err := s.prospects.BulkWrite(t.Context(), append(removals[:0:0], step))
			do(t, err)
		}
		for _, key := range []string{all, more, gone} {
			if pending, ok := raw(t, s, key)["pending"].(bson.A); ok && len(pending) == 0 {
				t.Errorf("after %d steps, %s: an empty list", steps, key)
			}
		}
		do(t, s.Done(t.Context(), published))
		wantQueued(t, s, all)
		wantQueued(t, s, more, "m3")
		if d := raw(t, s, gone); d != nil {
			t.Errorf("after %d steps: %v is left", steps, d)
		}
		if got := claim(t, s, "next"); !slices.Equal(got, []string{"m3"}) {
			t.Errorf("after %d steps: claimed %v, want m3", steps, got)
		}
		do(t, s.Done(t.Context(), []outbox.Message{told(more, 3)}))
		wantQueued(t, s, more)
	}
}

// TestWhatIsLeftOfADeletedProspect holds no personal data, and goes.
func TestWhatIsLeftOfADeletedProspect(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	do(t, s.Create(t.Context(), sample("a"), told("a", 1)))
	remove(t, s, "a", told("a", 2))
	d := raw(t, s, "a")
	for _, field := range []string{"firstName", "lastName", "filedWork", "idEvent"} {
		if d[field] != "" {
			t.Errorf("%s is left: %v", field, d[field])
		}
	}
	wantQueued(t, s, "a", "m1", "m2")
	do(t, s.Done(t.Context(), []outbox.Message{told("a", 1)}))
	wantQueued(t, s, "a", "m2")
	do(t, s.Done(t.Context(), []outbox.Message{told("a", 2)}))
	if d := raw(t, s, "a"); d != nil {
		t.Errorf("%v is left", d)
	}
	do(t, s.Create(t.Context(), sample("b")))
	remove(t, s, "b") // tells nobody, and nothing waits
	do(t, s.Create(t.Context(), sample("c"), told("c", 3)))
	remove(t, s, "c") // tells nobody, but something waits
	wantQueued(t, s, "c", "m3")
	do(t, s.Done(t.Context(), []outbox.Message{told("c", 3)}))
	for _, id := range []string{"b", "c"} {
		if d := raw(t, s, id); d != nil {
			t.Errorf("%v is left", d)
		}
	}
}

// TestPublishedBetweenReadingAndWriting has the messages of a prospect published at the worst moment of other writes.
func TestPublishedBetweenReadingAndWriting(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	relay := openAt(t, address, options.Client())
	meanwhile := func(after string, interrupt func()) *Store {
		var once sync.Once
		return openAt(t, address, options.Client().SetMonitor(&event.CommandMonitor{Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) {
			if e.CommandName == after {
				once.Do(interrupt)
			}
		}}))
	}
	done := func(key string) func() {
		return func() { do(t, relay.Done(t.Context(), []outbox.Message{told(key, 1), told(key, 2)})) }
	}

	do(t, relay.Create(t.Context(), sample("a"), told("a", 1)))
	remove(t, relay, "a", told("a", 2))
	do(t, meanwhile("insert", done("a")).Create(t.Context(), sample("a"), told("a", 3)))
	wantQueued(t, relay, "a", "m3")
	do(t, relay.Done(t.Context(), []outbox.Message{told("a", 3)}))

	do(t, relay.Create(t.Context(), sample("b"), told("b", 1)))
	remove(t, meanwhile("find", done("b")), "b")
	if d := raw(t, relay, "b"); d != nil {
		t.Errorf("%v is left", d)
	}

	do(t, relay.Create(t.Context(), sample("c"), told("c", 1)))
	other := meanwhile("find", func() { add(t, relay, told("c", 3)) })
	if got := claim(t, other, "relay"); !slices.Equal(got, []string{"m1"}) {
		t.Errorf("claimed %v, want what was there first", got)
	}
	if got := claim(t, relay, "another"); len(got) > 0 {
		t.Errorf("claimed %v, which come after what another relay holds", got)
	}
	wantQueued(t, relay, "c", "m1", "m3")
}

// TestAnEarlierClaimIsNoClaim has a relay claim again what it had before, while another one gets the first message of the key: the second message still
// names the relay, but would be published before the first.
func TestAnEarlierClaimIsNoClaim(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	other := openAt(t, address, options.Client())
	do(t, other.Create(t.Context(), sample("a"), told("a", 1), told("a", 2)))
	if _, err := other.Claim(t.Context(), "slow", 10, 0); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	slow := openAt(t, address, options.Client().SetMonitor(&event.CommandMonitor{Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) {
		if e.CommandName == "find" {
			once.Do(func() { _, err := other.Claim(t.Context(), "other", 1, time.Hour); do(t, err) })
		}
	}}))
	if got := claim(t, slow, "slow"); len(got) > 0 {
		t.Errorf("claimed %v, while another relay has the first message of the key", got)
	}
}

// TestTooManyWaiting has a prospect whose messages nobody publishes: it can't grow without end, others are as always, and it
// is over when they are published.
func TestTooManyWaiting(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	var messages []outbox.Message
	for n := range maxWaiting {
		messages = append(messages, told("a", n+1))
	}
	do(t, s.Create(t.Context(), sample("a"), messages[:maxWaiting-1]...))
	add(t, s, messages[maxWaiting-1])
	wantFull := func(err error) {
		t.Helper()
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Exhausted || f.RetryAfter <= 0 {
			t.Errorf("error %v, want Exhausted with the time to try again", err)
		}
	}
	more := []outbox.Message{told("a", maxWaiting+1)}
	_, err := s.Update(t.Context(), "a", func(p *prospect.Prospect) ([]outbox.Message, error) { p.FirstName = "new"; return more, nil })
	wantFull(err)
	wantFull(s.Delete(t.Context(), "a", func(prospect.Prospect) ([]outbox.Message, error) { return more, nil }))
	if found, err := s.Get(t.Context(), "a"); err != nil || found[0].Details != ada {
		t.Errorf("%v, %v", found, err)
	}
	remove(t, s, "a")
	wantFull(s.Create(t.Context(), sample("a"), more...))
	do(t, s.Create(t.Context(), sample("b"), told("b", 0)))
	add(t, s, told("b", maxWaiting+2))
	claimed, err := s.Claim(t.Context(), "relay", maxWaiting/2, time.Hour)
	if err != nil || len(claimed) != maxWaiting/2 {
		t.Fatalf("claimed %d, error %v", len(claimed), err)
	}
	do(t, s.Done(t.Context(), claimed))
	do(t, s.Create(t.Context(), sample("a"), more...))
	if got := claim(t, s, "relay"); len(got) != maxWaiting/2+3 {
		t.Errorf("%d messages are left", len(got))
	}
}

// TestABusyProspectDoesNotHoldUpOthers has one prospect that changes all the time: another one's message comes at the latest
// when the busy one's newer message has been claimed once before it.
func TestABusyProspectDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	s := openAt(t, newDatabase(t), options.Client())
	do(t, s.Create(t.Context(), sample("busy"), told("busy", 1), told("busy", 2)))
	do(t, s.Create(t.Context(), sample("other"), told("other", 3)))
	var got []string
	for n := 4; n < 8; n++ {
		claimed, err := s.Claim(t.Context(), "relay", 1, time.Hour)
		do(t, err)
		got = append(got, claimed[0].ID)
		add(t, s, told("busy", n))
		do(t, s.Done(t.Context(), claimed))
	}
	if want := []string{"m1", "m2", "m4", "m3"}; !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
}
