package e2e_test

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"eventprospect/e2e/play"
)

// TestCases plays every case through every door, at once and on one system, and then looks for names and tokens where
// none may be.
func TestCases(t *testing.T) {
	cases := load(t)
	w := newWorld(t)
	var played atomic.Int32
	var mu sync.Mutex
	var names []string
	t.Run("cases", func(t *testing.T) {
		for _, c := range cases {
			for _, p := range c.Playings() {
				t.Run(p.File+"/"+p.Name+"/"+p.Door, func(t *testing.T) {
					t.Parallel()
					where := w
					if p.Alone {
						where = newWorld(t)
					}
					name, err := p.Play(t.Context(), where.Client)
					if err != nil {
						t.Error(err)
					}
					played.Add(1)
					mu.Lock()
					defer mu.Unlock()
					names = append(names, name)
				})
			}
		}
	})
	t.Logf("%d cases, %d playings", len(cases), played.Load())
	t.Run("no leaks", func(t *testing.T) { searchForLeaks(t, w, names) })
}

func load(t *testing.T) []play.Case {
	t.Helper()
	cases, err := play.Load(os.DirFS("cases"))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestEveryDoorHasACase fails for each unary RPC, and each REST path of one, that no case shows to work.
func TestEveryDoorHasACase(t *testing.T) {
	t.Parallel()
	covered := play.Covered(load(t))
	doors := play.Doors("event.v1", "prospect.v1", "registry.v1")
	if len(doors) == 0 {
		t.Fatal("the contracts have no doors")
	}
	for _, door := range doors {
		if !slices.Contains(covered, door) {
			t.Errorf("no case wants a success of %s", door)
		}
	}
	t.Logf("%d doors", len(doors))
}
