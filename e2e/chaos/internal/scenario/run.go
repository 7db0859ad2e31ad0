//go:build linux

package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/chaos/internal/load"
)

// deadline is how long each call may take: less than an instance hangs, so that waiting for it is a failure.
const deadline = 2 * time.Second

// Options say how to run scenarios.
type Options struct {
	// Programs are the programs of the mesh.
	Programs fleet.Programs
	// Instance is the program that serves: event, or slow.
	Instance string
	// Rate is the requests per second.
	Rate int
	// For is how long the load lasts at least; then the round under way is finished.
	For time.Duration
}

// Needed are the names of the programs that Options must have for these scenarios.
func Needed(chosen []Scenario, instance string) []string {
	needed := []string{"dev", "registry", instance}
	if slices.ContainsFunc(chosen, func(s Scenario) bool { return s.cluster }) {
		needed = append(needed, "etcd")
	}
	if slices.ContainsFunc(chosen, func(s Scenario) bool { return s.gateway }) {
		needed = append(needed, "gateway")
	}
	return needed
}

// Outcome is what came of a scenario.
type Outcome struct {
	*load.Result
	// Rounds are the times, from the begin of the load, at which trouble was made.
	Rounds []time.Duration
	// Wronged is how often a registry said of an instance that was alive that it was gone.
	Wronged int
	// Logs are the last words of all processes, if anything went wrong.
	Logs string
}

// Good tells whether nothing went wrong.
func (o *Outcome) Good() bool { return o.Failed == 0 && o.Wronged == 0 && len(o.Rounds) > 0 }

// Run runs a scenario in a folder of its own, which goes at the end. An error says that the trouble couldn't be made, or
// didn't end; what failed because of trouble is in the outcome.
func Run(ctx context.Context, s Scenario, o Options) (out *Outcome, err error) {
	folder, err := os.MkdirTemp("", "eventprospect-chaos-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	f := fleet.New(o.Programs, folder)
	w, err := newWorld(ctx, f, s, o.Instance)
	defer func() { err = errors.Join(err, w.close()) }()
	if err == nil {
		out, err = w.suffer(ctx, s, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, f.LastWords())
	}
	if !out.Good() {
		out.Logs = f.LastWords()
	}
	return out, nil
}

// suffer makes the load and the trouble.
func (w *world) suffer(ctx context.Context, s Scenario, o Options) (*Outcome, error) {
	loading, end := context.WithCancel(ctx)
	defer end()
	finished := make(chan *load.Result, 1)
	begin := time.Now()
	go func() {
		finished <- load.Run(loading, load.Plan{Rate: o.Rate, Deadline: deadline, Name: nameOf}, w.caller.call)
	}()
	rounds, err := w.trouble(ctx, s, begin, o.For)
	end()
	out := &Outcome{Result: <-finished, Rounds: rounds, Wronged: w.observer.wronged()}
	if err == nil {
		err = ctx.Err()
	}
	return out, err
}

// trouble makes one round after the other until the time is over, with some calm before and after each.
func (w *world) trouble(ctx context.Context, s Scenario, begin time.Time, lasts time.Duration) (rounds []time.Duration, err error) {
	for pause(ctx, calm); ctx.Err() == nil && (len(rounds) == 0 || time.Since(begin) < lasts); pause(ctx, calm) {
		rounds = append(rounds, time.Since(begin))
		if err := s.round(ctx, w, len(rounds)-1); err != nil {
			return rounds, fmt.Errorf("round %d: %w", len(rounds), err)
		}
	}
	return rounds, ctx.Err()
}
