//go:build linux

package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// newTroubleOf makes one of faults that strike at once, one after the other.
func newTroubleOf(t *testing.T, faults ...fault) *trouble {
	t.Helper()
	return newTrouble(Options{Every: time.Millisecond, Progress: t.Output()}, faults)
}

// TestFaultsStrikeInTurn has one that is never over: the others go on until its turn comes again.
func TestFaultsStrikeInTurn(t *testing.T) {
	t.Parallel()
	quiet, silence := context.WithCancel(t.Context())
	var long, short atomic.Int64
	blocked := make(chan struct{})
	tr := newTroubleOf(t,
		fault{name: "long", strike: func(context.Context, *world, *rand.Rand) error { long.Add(1); <-blocked; return nil }},
		fault{name: "short", strike: func(context.Context, *world, *rand.Rand) error { short.Add(1); silence(); close(blocked); return nil }},
	)
	if err := tr.run(t.Context(), quiet, nil, &Calls{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range tr.strikes {
		names = append(names, s.Fault)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"long", "short"}) || long.Load() != 1 || short.Load() != 1 || !tr.complete() {
		t.Errorf("strikes %v, complete is %v", tr.strikes, tr.complete())
	}
}

func TestAFaultThatIsNotOverEndsTheTrouble(t *testing.T) {
	t.Parallel()
	lost := errors.New("it does not start again")
	tr := newTroubleOf(t, fault{name: "fatal", strike: func(context.Context, *world, *rand.Rand) error { return lost }})
	if err := tr.run(t.Context(), t.Context(), nil, &Calls{}); !errors.Is(err, lost) {
		t.Errorf("error %v, want %v", err, lost)
	}
}

func TestChanceIsTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	draws := func(seed uint64) (all []int) {
		quiet, silence := context.WithCancel(t.Context())
		tr := newTrouble(Options{Every: time.Millisecond, Seed: seed, Progress: t.Output()}, []fault{
			{name: "dice", strike: func(_ context.Context, _ *world, chance *rand.Rand) error {
				if all = append(all, chance.IntN(1000)); len(all) == 5 {
					silence()
				}
				return nil
			}},
		})
		if err := tr.run(t.Context(), quiet, nil, &Calls{}); err != nil {
			t.Fatal(err)
		}
		return all[:5]
	}
	if first := draws(7); !slices.Equal(first, draws(7)) || slices.Equal(first, draws(8)) {
		t.Errorf("chance is not that of the seed: %v", first)
	}
}
