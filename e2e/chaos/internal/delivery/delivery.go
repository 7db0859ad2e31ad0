//go:build linux

// Package delivery creates prospects at full speed while the parts of the system die and come back, and compares at the end what was
// acknowledged, what is stored, what went over Kafka, and what became of it: nothing may be lost, and nothing done twice.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"eventprospect/e2e/chaos/internal/fleet"
)

// Options say what to run.
type Options struct {
	// Programs are the programs of the mesh.
	Programs fleet.Programs
	// Prospects is how many are created at least; more if not every fault has struck by then.
	Prospects int
	// Workers is how many callers there are; each makes its next call when the last one was answered.
	Workers int
	// Every is the time from one fault to the next.
	Every time.Duration
	// Faults are the names of those that strike, in turn; empty: all that the rest allows.
	Faults []string
	// Brokers is how many brokers Apache Kafka has; 0: the embedded Kafka.
	Brokers int
	// EventStore is postgres, mysql or sqlite. SQLite's file serves one process, and the others share a database.
	EventStore string
	// ProspectStore is the URL of a MongoDB, for two Prospect services; empty: SQLite, for one.
	ProspectStore string
	// Seed decides whom each fault strikes.
	Seed uint64
	// Progress is told what happens.
	Progress io.Writer
}

// Needed are the names of the programs that Options must have.
func Needed() []string { return []string{"dev", "registry", "event", "prospect", "gateway"} }

// Outcome is what came of a run.
type Outcome struct {
	*Calls
	*Counts
	// Strikes are the faults, in the order in which they struck.
	Strikes []Strike
	// Lasted is how long prospects were created, Drained how long it took then until what was broken
	// ran again and nothing was left to do.
	Lasted, Drained time.Duration
	// Broken are the promises that were not kept.
	Broken []string
	// Ungraceful tells of the instances that were asked to stop and had to be cut off. What they had in hand comes again.
	Ungraceful []error
	// Folder holds the logs and the data of all processes, if promises were broken.
	Folder string
}

// Run runs it in a folder of its own, which goes at the end if nothing went wrong. An error says that it didn't come to an end.
func Run(ctx context.Context, o Options) (out *Outcome, err error) {
	faults, err := choose(o)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "eventprospect-chaos-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if ctx.Err() != nil || err == nil && len(out.Broken) == 0 {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	// A database server that is a user of its own has to get through.
	if err := os.Chmod(folder, 0o711); err != nil { //nolint:gosec // what is in it stays closed
		return nil, err
	}
	w, err := newWorld(ctx, fleet.New(o.Programs, folder), o)
	defer func() { err = errors.Join(err, w.close()) }()
	if err == nil {
		out, err = w.suffer(ctx, o, faults)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%w\n%s\nall logs are in %s", err, w.lastWords(), folder)
	}
	out.Folder = folder
	return out, nil
}

// suffer makes the load and the faults, waits until all is done, and counts.
func (w *world) suffer(ctx context.Context, o Options, faults []fault) (*Outcome, error) {
	t, calls, began := newTrouble(o, faults), newCalls(w.client, o), time.Now()
	group, run := errgroup.WithContext(ctx)
	quiet, silence := context.WithCancel(run)
	defer silence()
	out := &Outcome{Calls: calls}
	group.Go(func() error { return t.run(run, quiet, w, calls) })
	group.Go(func() error {
		err := calls.run(run, o, t.complete)
		out.Lasted = time.Since(began)
		silence()
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out.Strikes, out.Ungraceful = t.strikes, w.ungraceful
	return out, w.conclude(ctx, o, out, began.Add(out.Lasted))
}

// conclude waits until all is done, and counts. The last call ended at this time.
func (w *world) conclude(ctx context.Context, o Options, out *Outcome, ended time.Time) (err error) {
	left, err := w.drain(ctx, o.Progress)
	if err != nil {
		return err
	}
	out.Drained = time.Since(ended)
	if out.Counts, err = w.count(ctx, out.Calls, left); err != nil {
		return err
	}
	out.Broken = slices.Concat(out.Calls.broken(), out.Counts.broken(), w.dead())
	return nil
}
