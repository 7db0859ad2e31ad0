//go:build linux

package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// drainPatience bounds how long what is left may take, drainEvery is how often one looks, and tellEvery how often that is told.
	drainPatience = 5 * time.Minute
	drainEvery    = 250 * time.Millisecond
	tellEvery     = 5 * time.Second
)

// rest is what is left to do: messages to publish, and records to settle.
type rest struct{ Backlog, Lag int }

func (r rest) String() string { return fmt.Sprintf("backlog %d, lag %d", r.Backlog, r.Lag) }

// look looks what is left.
func (w *world) look(ctx context.Context, admin *kadm.Client) (r rest, err error) {
	if r.Backlog, err = w.stored.waiting(ctx); err != nil {
		return r, fmt.Errorf("backlog: %w", err)
	}
	if r.Lag, err = lag(ctx, admin, w.fleet.Group()); err != nil {
		return r, fmt.Errorf("lag: %w", err)
	}
	return r, nil
}

// drain waits until nothing is left to do, and no longer than that may take; then it tells what was left.
func (w *world) drain(ctx context.Context, progress io.Writer) (rest, error) {
	admin, err := w.admin()
	if err != nil {
		return rest{}, err
	}
	defer admin.Close()
	waiting, cancel := context.WithTimeout(ctx, drainPatience)
	defer cancel()
	left, seen := rest{}, false
	for told := time.Now(); ; {
		now, err := w.look(waiting, admin)
		state := now.String()
		if err != nil {
			state = err.Error()
		} else if left, seen = now, true; left == (rest{}) {
			return left, nil
		}
		if time.Since(told) > tellEvery {
			told = time.Now()
			fmt.Fprintln(progress, "left to do:", state)
		}
		if !pause(waiting, drainEvery) {
			if seen {
				err = nil // it can be looked at, and is not done
			}
			return left, errors.Join(err, ctx.Err())
		}
	}
}

// admin makes a client that looks at Kafka past the lines.
func (w *world) admin() (*kadm.Client, error) {
	return kadm.NewOptClient(kgo.SeedBrokers(w.brokers...))
}
