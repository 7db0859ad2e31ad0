package issuer

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestShelfForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf[int](time.Minute, 10)
		s.put("old", 1)
		time.Sleep(40 * time.Second)
		s.put("young", 2)
		time.Sleep(30 * time.Second)
		if _, ok := s.get("old"); ok {
			t.Error("a value outlived its life")
		}
		if _, ok := s.take("young"); !ok {
			t.Error("a value died early")
		}
		if _, ok := s.take("young"); ok || len(s.index) != 0 || s.order.Len() != 0 {
			t.Error("a value was taken and stayed")
		}
	})
}

func TestShelfIsBounded(t *testing.T) {
	t.Parallel()
	s := newShelf[int](time.Hour, 10)
	for n := range 100 {
		s.put(strconv.Itoa(n), n)
		s.put(strconv.Itoa(n), n) // in place of itself
	}
	if len(s.index) != 10 || s.order.Len() != 10 {
		t.Fatalf("it holds %d and %d, want 10", len(s.index), s.order.Len())
	}
	if _, ok := s.get("90"); !ok {
		t.Error("the youngest ten must be left")
	}
	s.remove(func(n int) bool { return n%2 == 0 })
	if _, ok := s.get("91"); !ok || len(s.index) != 5 {
		t.Errorf("%d are left, want the odd 5", len(s.index))
	}
}
