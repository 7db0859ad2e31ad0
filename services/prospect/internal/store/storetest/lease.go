package storetest

import (
	"testing"
	"time"

	"eventprospect/mesh/outbox"
)

func renew(t *testing.T, s outbox.Queue, owner string, lease time.Duration, held ...outbox.Message) {
	t.Helper()
	if err := s.Renew(t.Context(), owner, held, lease); err != nil {
		t.Fatalf("renew for %s: %v", owner, err)
	}
}

// leaseRenewed has a lease that has ended already, and is renewed before anybody else claims.
func leaseRenewed(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("a", "m2"), message("b", "m3"))
	held, err := s.Claim(t.Context(), "first", 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	renew(t, s, "first", lease, held...)
	renew(t, s, "first", lease) // nothing is no error
	wantClaimed(t, claim(t, s, "second", 10))
	wantClaimed(t, claim(t, s, "first", 10), "m1", "m2", "m3")
}

func leaseGivenUp(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("a", "m2"), message("b", "m3"))
	held := claim(t, s, "first", 10)
	renew(t, s, "first", 0, held[1:]...)
	wantClaimed(t, claim(t, s, "second", 10), "m3") // m2 comes after what the first one still has
	renew(t, s, "first", 0, held...)
	wantClaimed(t, claim(t, s, "second", 10), "m1", "m2", "m3")
}

// leaseOfAnotherStays has a relay that was too slow: what is another one's by now isn't renewed, and not given up.
func leaseOfAnotherStays(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("b", "m2"))
	slow, err := s.Claim(t.Context(), "slow", 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantClaimed(t, claim(t, s, "quick", 10), "m1", "m2")
	renew(t, s, "slow", 0, slow...)
	wantClaimed(t, claim(t, s, "slow", 10))
	renew(t, s, "slow", lease, slow...)
	wantClaimed(t, claim(t, s, "quick", 10), "m1", "m2")
}

func wantBacklog(t *testing.T, s outbox.Queue, count int, oldest time.Time) {
	t.Helper()
	got, err := s.Waiting(t.Context())
	if err != nil || got.Count != count || !got.Oldest.Equal(oldest) {
		t.Errorf("%+v waits, error %v; want %d since %v", got, err, count, oldest)
	}
}

func waitingCountsAll(t *testing.T, open func() Store) {
	s := opened(t, open)
	wantBacklog(t, s, 0, time.Time{})
	var all []outbox.Message
	for i, key := range []string{"a", "b", "a", "c"} {
		m := message(key, string(rune('m'+i)))
		m.Time = m.Time.Add(time.Duration(i) * time.Second)
		all = append(all, m)
	}
	enqueue(t, s, all...)
	wantBacklog(t, s, 4, all[0].Time)
	claim(t, s, "relay", 2)
	wantBacklog(t, s, 4, all[0].Time)
	done(t, s, all[0], all[1])
	wantBacklog(t, s, 2, all[2].Time)
	gone := message("c", "gone")
	gone.Time = all[3].Time.Add(time.Second)
	if err := s.Delete(t.Context(), "c", remove(gone)); err != nil {
		t.Fatal(err)
	}
	wantBacklog(t, s, 3, all[2].Time)
	done(t, s, claim(t, s, "relay", 10)...)
	wantBacklog(t, s, 0, time.Time{})
}
