package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

// deletedIsGone has a deletion whose message waits: the prospect is in no answer, and can't be changed.
func deletedIsGone(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "created"))
	if err := s.Delete(t.Context(), "a", remove(message("a", "deleted"))); err != nil {
		t.Fatal(err)
	}
	wantGone := func() {
		t.Helper()
		_, err := s.Get(t.Context(), "a")
		wantFault(t, err, fault.NotFound)
		_, err = s.Update(t.Context(), "a", change("new"))
		wantFault(t, err, fault.NotFound)
		wantFault(t, s.Delete(t.Context(), "a", remove(message("a", "again"))), fault.NotFound)
		for _, filter := range []prospect.Filter{{}, {FiledWork: "IT"}, {IDEvent: "e"}} {
			found, err := s.List(t.Context(), prospect.Query{Filter: filter, Limit: 10})
			if err != nil || len(found) > 0 {
				t.Errorf("found %v, error %v", found, err)
			}
			if n, err := s.Count(t.Context(), filter); err != nil || n != 0 {
				t.Errorf("counted %d, error %v", n, err)
			}
		}
	}
	wantGone()
	claimed := claim(t, s, "relay", 10)
	wantClaimed(t, claimed, "created", "deleted")
	done(t, s, claimed...)
	wantGone()
}

// deletedIDAgain uses the id of a deleted prospect anew, before and after the messages are published.
func deletedIDAgain(t *testing.T, open func() Store) {
	s := opened(t, open)
	first := sample("a", 0)
	if err := s.Create(t.Context(), first, message("a", "1 created")); err != nil {
		t.Fatal(err)
	}
	claim(t, s, "relay", 10) // under way when the prospect is deleted
	if err := s.Delete(t.Context(), "a", remove(message("a", "2 deleted"))); err != nil {
		t.Fatal(err)
	}
	second := sample("a", 1)
	second.FirstName = "another"
	if err := s.Create(t.Context(), second, message("a", "3 created")); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "a"); got != second {
		t.Errorf("%+v, want %+v", got, second)
	}
	claimed := claim(t, s, "relay", 10)
	wantClaimed(t, claimed, "1 created", "2 deleted", "3 created")
	if err := s.Delete(t.Context(), "a", remove(message("a", "4 deleted"))); err != nil {
		t.Fatal(err)
	}
	done(t, s, claimed...)
	claimed = claim(t, s, "relay", 10)
	wantClaimed(t, claimed, "4 deleted")
	done(t, s, claimed...)
	if err := s.Create(t.Context(), first, message("a", "5 created")); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "a"); got != first {
		t.Errorf("%+v, want %+v", got, first)
	}
	wantWaiting(t, s, "5 created")
}

// deletedWhilePublished creates and deletes one id again and again while a relay publishes: nothing is lost, and the order stays.
func deletedWhilePublished(t *testing.T, open func() Store) {
	const rounds = 40
	s := opened(t, open)
	ctx, cancel := context.WithCancel(t.Context())
	var versions []int64
	var all sync.WaitGroup
	all.Go(func() {
		defer cancel()
		for round := range rounds {
			p := sample("a", 2*round)
			p.Version = int64(2 * round)
			if err := s.Create(t.Context(), p, numbered(2*round)); err != nil {
				t.Errorf("create %d: %v", round, err)
			}
			if err := s.Delete(t.Context(), "a", remove(numbered(2*round+1))); err != nil {
				t.Errorf("delete %d: %v", round, err)
			}
		}
	})
	for len(versions) < 2*rounds {
		writing := ctx.Err() == nil
		claimed := claim(t, s, "relay", 3)
		for _, c := range claimed {
			versions = append(versions, int64(c.Payload[0]))
		}
		done(t, s, claimed...)
		if !writing && len(claimed) == 0 {
			break
		}
	}
	all.Wait()
	for i, v := range versions {
		if v != int64(i) {
			t.Fatalf("published in the order %v", versions)
		}
	}
	if len(versions) != 2*rounds {
		t.Errorf("published %d messages, want %d", len(versions), 2*rounds)
	}
}

func numbered(n int) outbox.Message {
	m := message("a", "m"+string(rune('0'+n)))
	m.Time, m.Payload = now.Add(time.Duration(n)*time.Second), []byte{byte(n)}
	return m
}

// claimLessThanOneKeyHas takes the messages of one key in several parts, while others come.
func claimLessThanOneKeyHas(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("a", "m2"), message("a", "m3"))
	first := claim(t, s, "relay", 2)
	wantClaimed(t, first, "m1", "m2")
	enqueue(t, s, message("a", "m4"))
	wantClaimed(t, claim(t, s, "another", 10)) // m3 and m4 come after what the relay has under way
	done(t, s, first[0])
	wantClaimed(t, claim(t, s, "another", 10))
	wantClaimed(t, claim(t, s, "relay", 2), "m2", "m3")
}

// doneTooLate has an owner whose lease ended before it was done: it takes nothing from the one who has it now.
func doneTooLate(t *testing.T, open func() Store) {
	s := opened(t, open)
	enqueue(t, s, message("a", "m1"), message("a", "m2"))
	late, err := s.Claim(t.Context(), "late", 10, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	enqueue(t, s, message("a", "m3"))
	var held []outbox.Message
	for deadline := time.Now().Add(patience); len(held) == 0; {
		if held = claim(t, s, "holder", 10); time.Now().After(deadline) {
			t.Fatal("the lease doesn't end")
		}
	}
	wantClaimed(t, held, "m1", "m2", "m3")
	done(t, s, late...)
	wantClaimed(t, claim(t, s, "third", 10)) // m3 is the holder's
	wantClaimed(t, claim(t, s, "holder", 10), "m3")
	done(t, s, held...)
	wantWaiting(t, s)
}
