package issuer

import (
	"container/list"
	"sync"
	"time"
)

// shelf keeps values for a while. It is bounded twice: a value dies after life, and the oldest one makes room when
// the shelf is full. Since all live equally long, the oldest is always the next to die.
type shelf[V any] struct {
	life time.Duration
	room int

	mu    sync.Mutex
	index map[string]*list.Element
	order list.List // of item[V], oldest first
}

type item[V any] struct {
	key   string
	value V
	dies  time.Time
}

func newShelf[V any](life time.Duration, room int) *shelf[V] {
	return &shelf[V]{life: life, room: room, index: map[string]*list.Element{}}
}

// put keeps value under key, in place of what was there.
func (s *shelf[V]) put(key string, value V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(s.index[key])
	s.clean()
	if len(s.index) >= s.room {
		s.drop(s.order.Front())
	}
	s.index[key] = s.order.PushBack(item[V]{key, value, time.Now().Add(s.life)})
}

// get gives what is kept under key.
func (s *shelf[V]) get(key string) (value V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clean()
	if e := s.index[key]; e != nil {
		return e.Value.(item[V]).value, true
	}
	return value, false
}

// take is get and remove in one step: of several that take the same key, one gets it.
func (s *shelf[V]) take(key string) (value V, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clean()
	e := s.index[key]
	if e == nil {
		return value, false
	}
	s.drop(e)
	return e.Value.(item[V]).value, true
}

// remove drops every value that match says yes to.
func (s *shelf[V]) remove(match func(V) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.order.Front(); e != nil; {
		next := e.Next()
		if match(e.Value.(item[V]).value) {
			s.drop(e)
		}
		e = next
	}
}

// clean drops what has died. mu is held.
func (s *shelf[V]) clean() {
	now := time.Now()
	for e := s.order.Front(); e != nil && !e.Value.(item[V]).dies.After(now); e = s.order.Front() {
		s.drop(e)
	}
}

// drop forgets e, which may be nil. mu is held.
func (s *shelf[V]) drop(e *list.Element) {
	if e != nil {
		delete(s.index, s.order.Remove(e).(item[V]).key)
	}
}
