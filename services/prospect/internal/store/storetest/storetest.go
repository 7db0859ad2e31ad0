// Package storetest holds what every prospect.Store with its outbox promises, one function a promise. It is like the Event
// service's on purpose: the services share no code but mesh.
package storetest

import (
	"testing"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/outbox"
	"eventprospect/services/prospect/internal/prospect"
)

// Store is a store with its outbox that can be closed.
type Store interface {
	prospect.Store
	outbox.Queue
	Close() error
}

// Engine makes an empty database for the time of the test, and returns how to open it, any number of times.
type Engine func(t *testing.T) (open func() Store)

// Run runs the suite.
func Run(t *testing.T, engine Engine) {
	promises := map[string]func(*testing.T, func() Store){
		"get-missing":                 getMissing,
		"get-keeps-order":             getKeepsOrder,
		"create-twice":                createTwice,
		"update-missing":              updateMissing,
		"update-error-leaves-nothing": updateErrorLeavesNothing,
		"update-concurrent-all-apply": updateConcurrentAllApply,
		"one-winner-per-etag":         oneWinnerPerETag,
		"delete-missing":              deleteMissing,
		"delete-refused-leaves-it":    deleteRefusedLeavesIt,
		"list-pages-cover-all-once":   listPagesCoverAllOnce,
		"list-filters":                listFilters,
		"ids-are-case-sensitive":      idsAreCaseSensitive,
		"time-zone-and-microseconds":  timeZoneAndMicroseconds,
		"empty-and-unicode-text":      emptyAndUnicodeText,
		"texts-compared-byte-by-byte": textsAreComparedByteByByte,
		"texts-of-messages-stay":      textsOfMessagesStay,
		"cancelled-context":           cancelledContext,
		"deleted-is-gone":             deletedIsGone,
		"deleted-id-again":            deletedIDAgain,
		"deleted-while-published":     deletedWhilePublished,
		"message-iff-change":          messageIffChange,
		"message-round-trip":          messageRoundTrip,
		"messages-in-order-per-key":   messagesInOrderPerKey,
		"claim-takes-the-oldest":      claimTakesTheOldest,
		"claimed-by-one":              claimedByOne,
		"claimed-again-by-the-same":   claimedAgainByTheSame,
		"claimed-after-the-lease":     claimedAfterTheLease,
		"claim-keeps-a-key-together":  claimKeepsAKeyTogether,
		"claim-less-than-a-key-has":   claimLessThanOneKeyHas,
		"claim-concurrent-disjoint":   claimConcurrentDisjoint,
		"lease-renewed":               leaseRenewed,
		"lease-given-up":              leaseGivenUp,
		"lease-of-another-stays":      leaseOfAnotherStays,
		"waiting-counts-all":          waitingCountsAll,
		"done-too-late":               doneTooLate,
		"acked-never-again":           ackedNeverAgain,
		"restart-keeps-everything":    restartKeepsEverything,
	}
	for name, promise := range promises {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			promise(t, engine(t))
		})
	}
}

// Queries are the ways in which the service lists; an engine shows that each uses an index.
func Queries() map[string]prospect.Query {
	after := prospect.Place{Created: time.UnixMicro(1).UTC(), ID: "a"}
	return map[string]prospect.Query{
		"all":           {Limit: 20},
		"all-after":     {After: after, Limit: 20},
		"by-filed-work": {Filter: prospect.Filter{FiledWork: "IT"}, After: after, Limit: 20},
		"by-event":      {Filter: prospect.Filter{IDEvent: "e"}, After: after, Limit: 20},
	}
}

// now is a time that has microseconds.
var now = time.Date(2026, 11, 23, 10, 20, 30, 123456000, time.UTC)

// sample makes a prospect that is like no other, seconds after the first.
func sample(id string, seconds int) prospect.Prospect {
	at := now.Add(time.Duration(seconds) * time.Second)
	return prospect.Prospect{
		ID: id, Details: prospect.Details{FirstName: "first of " + id, LastName: "last of " + id, FiledWork: "IT", IDEvent: "e"},
		Created: at, Updated: at, Version: 1,
	}
}

// message makes a message of a key that is like no other.
func message(key, id string) outbox.Message {
	return outbox.Message{
		ID: id, Key: key, Type: "prospect.events.v1.created", Time: now, Payload: []byte("payload of " + id),
		Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// change is an update that sets a name and stores these messages.
func change(name string, messages ...outbox.Message) func(*prospect.Prospect) ([]outbox.Message, error) {
	return func(p *prospect.Prospect) ([]outbox.Message, error) {
		p.FirstName = name
		p.Version++
		return messages, nil
	}
}

// remove is a deletion that stores these messages.
func remove(messages ...outbox.Message) func(prospect.Prospect) ([]outbox.Message, error) {
	return func(prospect.Prospect) ([]outbox.Message, error) { return messages, nil }
}

func create(t *testing.T, s prospect.Store, prospects ...prospect.Prospect) {
	t.Helper()
	for _, p := range prospects {
		if err := s.Create(t.Context(), p); err != nil {
			t.Fatalf("create %s: %v", p.ID, err)
		}
	}
}

// enqueue stores messages, each with a change of the prospect that is its key.
func enqueue(t *testing.T, s prospect.Store, messages ...outbox.Message) {
	t.Helper()
	for i, m := range messages {
		err := s.Create(t.Context(), sample(m.Key, i), m)
		if fault.Is(err, fault.AlreadyExists) {
			_, err = s.Update(t.Context(), m.Key, func(*prospect.Prospect) ([]outbox.Message, error) { return []outbox.Message{m}, nil })
		}
		if err != nil {
			t.Fatalf("enqueue %s: %v", m.ID, err)
		}
	}
}

func get(t *testing.T, s prospect.Store, id string) prospect.Prospect {
	t.Helper()
	found, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatalf("get %s: %v", id, err)
	}
	return found[0]
}

func opened(t *testing.T, open func() Store) Store {
	t.Helper()
	s := open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
