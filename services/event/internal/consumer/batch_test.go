package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kgo"

	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/stream"
	"eventprospect/services/event/internal/consumer"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/sqlite"
)

// numbered makes the n-th of many messages.
func numbered(n int) *eventsv1.ProspectEvent {
	message := good(eventsv1.ProspectEvent_CREATED)
	message.Id = fmt.Sprintf("0195f0c8-1111-7000-8000-%012d", n)
	message.ProspectId = fmt.Sprintf("0195f0c8-2222-7000-8000-%012d", n)
	return message
}

func TestEachRecordOfABatchHasItsOwnResult(t *testing.T) {
	t.Parallel()
	handler, events := newHandler(t)
	records := make([]*kgo.Record, 100)
	for n := range records {
		records[n] = &kgo.Record{Value: encode(t, numbered(n))}
	}
	newer := numbered(50)
	newer.Kind = 99
	records[3].Value, records[50].Value = []byte("hello"), encode(t, newer)
	// Somebody has made an event with the id that the message's event is to have.
	taken, err := handler.Occurrence(numbered(77))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.Create(t.Context(), event.Plans{ID: taken.EventID, Name: "Fair"}); err != nil {
		t.Fatal(err)
	}
	for n, err := range handler.Handle(t.Context(), records) {
		switch n {
		case 3:
			if !fault.Is(err, fault.Invalid) || errors.Is(err, stream.ErrNewer) {
				t.Errorf("undecodable: error %v", err)
			}
		case 50:
			if !errors.Is(err, stream.ErrNewer) {
				t.Errorf("newer: error %v", err)
			}
		case 77:
			if !fault.Is(err, fault.AlreadyExists) {
				t.Errorf("taken: error %v", err)
			}
		default:
			if err != nil {
				t.Errorf("record %d: %v", n, err)
			}
		}
	}
	if found := list(t, events); len(found) != 98 { // 97 of messages, and the fair
		t.Errorf("%d events", len(found))
	}
}

// awayStore is a store whose database doesn't answer when messages are to be applied.
type awayStore struct {
	event.Store
	asked int
}

func (s *awayStore) Apply(context.Context, ...event.Told) (int, error) {
	s.asked++
	return 0, fault.Away("the database", time.Second)
}

// TestAStoreThatIsAwayIsNotAskedForEachRecord: it would take as many timeouts.
func TestAStoreThatIsAwayIsNotAskedForEachRecord(t *testing.T) {
	t.Parallel()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "event.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	away := &awayStore{Store: store}
	handler, err := consumer.New(event.NewService(away, uuid.NewString, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	results := handler.Handle(t.Context(), []*kgo.Record{
		{Value: encode(t, numbered(1))}, {Value: []byte("hello")}, {Value: encode(t, numbered(2))}, {Value: encode(t, numbered(3))},
	})
	for n, want := range []fault.Kind{fault.Unavailable, fault.Invalid, fault.Unavailable, fault.Unavailable} {
		if !fault.Is(results[n], want) {
			t.Errorf("record %d: error %v, want %v", n, results[n], want)
		}
	}
	if away.asked != 1 {
		t.Errorf("asked %d times, want once", away.asked)
	}
}

// While there is no time left to try the records of a batch alone, none is taken for the bad one: it would be buried.
func TestNoRecordIsBlamedForAnother(t *testing.T) {
	t.Parallel()
	handler, _ := newHandler(t)
	bad := numbered(1)
	bad.ProspectId = "a\x00b"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	results := handler.Handle(ctx, []*kgo.Record{{Value: encode(t, numbered(0))}, {Value: encode(t, bad)}, {Value: encode(t, numbered(2))}})
	for n, err := range results {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("record %d: error %v", n, err)
		}
	}
}
