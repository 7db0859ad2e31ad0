package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

const (
	// lease is longer than any test.
	lease = time.Hour
	// patience bounds the wait for the end of a short lease.
	patience = 20 * time.Second
)

func claim(t *testing.T, s outbox.Queue, owner string, limit int) []outbox.Message {
	t.Helper()
	claimed, err := s.Claim(t.Context(), owner, limit, lease)
	if err != nil {
		t.Fatalf("claim for %s: %v", owner, err)
	}
	return claimed
}

func done(t *testing.T, s outbox.Queue, claimed ...outbox.Message) {
	t.Helper()
	if err := s.Done(t.Context(), claimed); err != nil {
		t.Fatalf("done: %v", err)
	}
}

func messageIDs(claimed []outbox.Message) []string {
	all := make([]string, len(claimed))
	for i, c := range claimed {
		all[i] = c.ID
	}
	return all
}

// wantClaimed compares the ids of claimed messages, one key after the other: only within a key there is an order.
func wantClaimed(t *testing.T, claimed []outbox.Message, want ...string) {
	t.Helper()
	byKey := slices.SortedStableFunc(slices.Values(claimed), func(a, b outbox.Message) int { return strings.Compare(a.Key, b.Key) })
	if got := messageIDs(byKey); !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
}

// wantWaiting claims all that waits, for nobody else to, and compares the ids.
func wantWaiting(t *testing.T, s outbox.Queue, want ...string) {
	t.Helper()
	wantClaimed(t, claim(t, s, "the test", 1000), want...)
}

func messageIffChange(t *testing.T, open func() Store) {
	s := opened(t, open)
	if err := s.Create(t.Context(), sample("a", 0), message("a", "created")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), "a", change("new", message("a", "updated"), message("a", "updated too"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), "a", change("newer")); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a", remove(message("a", "deleted"))); err != nil {
		t.Fatal(err)
	}
	wantWaiting(t, s, "created", "updated", "updated too", "deleted")
}

func messageRoundTrip(t *testing.T, open func() Store) {
	s := opened(t, open)
	full := message("a", "m1")
	full.Payload = []byte{0, 0xff, 0x80, '\n', 0}
	full.Time = full.Time.In(time.FixedZone("far", -11*3600))
	bare := outbox.Message{ID: "m2", Key: "日本", Time: now, Payload: []byte{0}}
	enqueue(t, s, full, bare)
	claimed := claim(t, s, "relay", 10)
	if len(claimed) != 2 {
		t.Fatalf("claimed %v", claimed)
	}
	full.Time = full.Time.UTC()
	for i, want := range []outbox.Message{full, bare} {
		if diff := cmp.Diff(want, claimed[i]); diff != "" {
			t.Error(diff)
		}
		if claimed[i].Time.Location() != time.UTC {
			t.Errorf("time %v is not UTC", claimed[i].Time)
		}
	}
}

func messagesInOrderPerKey(t *testing.T, open func() Store) {
	const keys, each = 8, 20
	s := opened(t, open)
	var all sync.WaitGroup
	for k := range keys {
		key := fmt.Sprint("p", k)
		create(t, s, sample(key, k))
		all.Go(func() {
			for n := range each {
				if _, err := s.Update(t.Context(), key, change("new", message(key, fmt.Sprintf("%s-%02d", key, n)))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	byKey := map[string][]string{}
	for {
		batch := claim(t, s, "relay", 17)
		if len(batch) == 0 {
			break
		}
		for _, c := range batch {
			byKey[c.Key] = append(byKey[c.Key], c.ID)
		}
		done(t, s, batch...)
	}
	for key, found := range byKey {
		if len(found) != each || !slices.IsSorted(found) {
			t.Errorf("%s: %v", key, found)
		}
	}
	if len(byKey) != keys {
		t.Errorf("%d keys, want %d", len(byKey), keys)
	}
}

func claimTakesTheOldest(t *testing.T, open func() Store) {
	s := opened(t, open)
	wantClaimed(t, claim(t, s, "relay", 10))
	for i, m := range []outbox.Message{message("a", "m1"), message("b", "m2"), message("a", "m3")} {
		m.Time = m.Time.Add(time.Duration(i) * time.Second)
		enqueue(t, s, m)
	}
	wantClaimed(t, claim(t, s, "relay", 2), "m1", "m2")
	wantClaimed(t, claim(t, s, "relay", 10), "m1", "m3", "m2")
}

func claimedByOne(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("b", "m2"))
	wantClaimed(t, claim(t, s, "first", 10), "m1", "m2")
	wantClaimed(t, claim(t, s, "second", 10))
}

func claimedAgainByTheSame(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("a", "m2"))
	before := claim(t, s, "relay", 10)
	enqueue(t, s, message("a", "m3"))
	after := claim(t, s, "relay", 10)
	wantClaimed(t, after, "m1", "m2", "m3")
	if diff := cmp.Diff(before, after[:2]); diff != "" {
		t.Error(diff)
	}
}

func claimedAfterTheLease(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"))
	if _, err := s.Claim(t.Context(), "first", 10, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		claimed := claim(t, s, "second", 10)
		if len(claimed) > 0 {
			wantClaimed(t, claimed, "m1")
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lease doesn't end")
		}
	}
	// The first one was too slow: the message is the second one's.
	wantClaimed(t, claim(t, s, "first", 10))
}

// claimKeepsAKeyTogether has a relay that holds the first message of a key: the ones after it are no other's, until it is done.
func claimKeepsAKeyTogether(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "a1"), message("a", "a2"), message("b", "b1"), message("a", "a3"))
	first := claim(t, s, "first", 1)
	wantClaimed(t, first, "a1")
	second := claim(t, s, "second", 10)
	wantClaimed(t, second, "b1")
	done(t, s, first...)
	wantClaimed(t, claim(t, s, "second", 10), "a2", "a3", "b1")
}

func claimConcurrentDisjoint(t *testing.T, open func() Store) {
	const relays, total = 8, 60
	s := opened(t, open)
	for n := range total {
		enqueue(t, s, message(fmt.Sprint("k", n%5), fmt.Sprintf("m%02d", n)))
	}
	var mu sync.Mutex
	owners := map[string]string{}
	var all sync.WaitGroup
	for r := range relays {
		owner := fmt.Sprint("relay ", r)
		all.Go(func() {
			for _, c := range claim(t, s, owner, 10) {
				mu.Lock()
				if other, ok := owners[c.ID]; ok {
					t.Errorf("%s is claimed by %s and %s", c.ID, other, owner)
				}
				owners[c.ID] = owner
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(owners) == 0 {
		t.Error("nobody claimed anything")
	}
}

func ackedNeverAgain(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("a", "m2"), message("b", "m3"))
	claimed := claim(t, s, "relay", 10)
	done(t, s, claimed[0], claimed[2])
	done(t, s) // nothing is no error
	done(t, s, claimed[0])
	wantClaimed(t, claim(t, s, "relay", 10), "m2")
	done(t, s, claimed[1])
	for _, owner := range []string{"relay", "another"} {
		wantClaimed(t, claim(t, s, owner, 10))
	}
	// What is late with its Done doesn't take another message away.
	enqueue(t, s, message("a", "m4"))
	done(t, s, claimed...)
	wantClaimed(t, claim(t, s, "relay", 10), "m4")
}

func restartKeepsEverything(t *testing.T, open func() Store) {
	s := open()
	for i := range 20 {
		id := fmt.Sprint("p", i)
		if err := s.Create(t.Context(), sample(id, i), message(id, "m"+id)); err != nil {
			t.Fatal(err)
		}
	}
	claimed := claim(t, s, "relay", 10)
	done(t, s, claimed[:5]...)
	before, err := s.List(t.Context(), prospect.Query{Limit: 100})
	if err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	again := opened(t, open)
	after, err := again.List(t.Context(), prospect.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" || len(after) != 20 {
		t.Errorf("%d prospects after the restart: %s", len(after), diff)
	}
	var waiting []string
	for i := range 20 {
		if id := fmt.Sprint("mp", i); !slices.Contains(messageIDs(claimed[:5]), id) {
			waiting = append(waiting, id)
		}
	}
	slices.Sort(waiting)
	wantClaimed(t, claim(t, again, "relay", 20), waiting...)
}
