package outbox

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// held is an outbox of which only the number of messages is of interest. While a look is under way, meanwhile is called.
type held struct {
	Queue
	count     atomic.Int64
	meanwhile func()
	err       error
}

func (h *held) Waiting(context.Context) (Backlog, error) {
	found := Backlog{Count: int(h.count.Load()), Oldest: time.Unix(1, 0)}
	if h.meanwhile != nil {
		h.meanwhile()
	}
	return found, h.err
}

func (h *held) add() error { h.count.Add(1); return nil }

func (h *held) remove() error { h.count.Add(-1); return nil }

func look(t *testing.T, room *Room, queue Queue) {
	t.Helper()
	if err := room.Look(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
}

func wantWaiting(t *testing.T, room *Room, want int) {
	t.Helper()
	if got := room.Backlog().Count; got != want {
		t.Errorf("%d wait, want %d", got, want)
	}
}

func wantFull(t *testing.T, err error, waiting int) {
	t.Helper()
	var full *FullError
	if !errors.As(err, &full) || full.Waiting != waiting {
		t.Errorf("error %v, want a refusal with %d waiting", err, waiting)
	}
}

func TestARoomThatIsFullRunsNoChange(t *testing.T) {
	t.Parallel()
	room, queue := NewRoom(2), &held{}
	for range 2 {
		if err := room.Add(queue.add); err != nil {
			t.Fatal(err)
		}
	}
	wantFull(t, room.Add(func() error { t.Error("ran"); return nil }), 2)
	if err := room.Remove(1, queue.remove); err != nil {
		t.Fatal(err)
	}
	if err := room.Add(queue.add); err != nil {
		t.Errorf("one was removed: %v", err)
	}
}

func TestARoomWithoutABoundCounts(t *testing.T) {
	t.Parallel()
	room, queue := NewRoom(0), &held{}
	for range 5 {
		if err := room.Add(queue.add); err != nil {
			t.Fatal(err)
		}
	}
	wantWaiting(t, room, 5)
}

func TestWhatFailsTakesNoRoom(t *testing.T) {
	t.Parallel()
	room, away := NewRoom(1), errors.New("away")
	if err := room.Add(func() error { return away }); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = room.Add(func() error { panic("broken") })
	}()
	wantWaiting(t, room, 0)
	if err := room.Add(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if err := room.Remove(1, func() error { return away }); !errors.Is(err, away) {
		t.Errorf("error %v", err)
	}
	wantWaiting(t, room, 1)
}

func TestALookFindsWhatOthersAddedAndRemoved(t *testing.T) {
	t.Parallel()
	room, queue := NewRoom(10), &held{}
	queue.count.Store(9)
	look(t, room, queue)
	if err := room.Add(queue.add); err != nil {
		t.Fatal(err)
	}
	wantFull(t, room.Add(queue.add), 10)
	look(t, room, queue)
	wantWaiting(t, room, 10) // not counted twice
	if got := room.Backlog().Oldest; !got.Equal(time.Unix(1, 0)) {
		t.Errorf("the oldest is of %v", got)
	}
	queue.count.Store(0)
	look(t, room, queue)
	if got := room.Backlog(); got != (Backlog{}) {
		t.Errorf("%+v waits", got)
	}
}

// TestWhatHappensDuringALookIsNotMissed: nobody knows whether a look has counted what came while it ran. Rather too many are taken to
// wait, until the next look.
func TestWhatHappensDuringALookIsNotMissed(t *testing.T) {
	t.Parallel()
	room, queue := NewRoom(10), &held{}
	queue.count.Store(5)
	look(t, room, queue)
	queue.meanwhile = func() { // the look has its figure already
		_ = room.Add(queue.add)
		_ = room.Remove(1, queue.remove)
	}
	look(t, room, queue)
	wantWaiting(t, room, 6)
	queue.meanwhile = nil
	look(t, room, queue)
	wantWaiting(t, room, 5)
	// A removal under way while a look begins, and ends.
	_ = room.Remove(1, func() error { _ = queue.remove(); look(t, room, queue); return nil })
	wantWaiting(t, room, 4)
}

func TestALookThatFailsLeavesWhatIsKnown(t *testing.T) {
	t.Parallel()
	room, queue := NewRoom(10), &held{}
	queue.count.Store(3)
	look(t, room, queue)
	queue.err = errors.New("away")
	if err := room.Look(t.Context(), queue); !errors.Is(err, queue.err) {
		t.Errorf("error %v", err)
	}
	wantWaiting(t, room, 3)
}

// TestManyAtOnceDoNotPassTheBound has many add and look at once.
func TestManyAtOnceDoNotPassTheBound(t *testing.T) {
	t.Parallel()
	const bound = 100
	room, queue := NewRoom(bound), &held{}
	var refused atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if room.Add(queue.add) != nil {
					refused.Add(1)
				}
			}
		})
	}
	all.Go(func() {
		for range 50 {
			_ = room.Look(t.Context(), queue)
		}
	})
	all.Wait()
	if got := queue.count.Load(); got > bound || got+refused.Load() != 8*50 {
		t.Errorf("%d wait, %d were refused", got, refused.Load())
	}
	look(t, room, queue)
	for room.Add(queue.add) == nil {
	}
	if got := queue.count.Load(); got != bound {
		t.Errorf("%d wait, want %d", got, bound)
	}
}
