//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"eventprospect/e2e/chaos/internal/scenario"
)

// errHarm says that trouble came through.
var errHarm = errors.New("requests failed, or instances that were alive were deregistered")

// scenarios runs them one after the other and prints a line for each, and one for all. It goes on after one that went badly.
func scenarios(ctx context.Context, chosen []scenario.Scenario, o scenario.Options, out io.Writer) error {
	fmt.Fprintf(out, "%d requests per second, for %v at least, on three instances of %s\n", o.Rate, o.For, o.Instance)
	fmt.Fprintf(out, "%-16s %6s %6s %9s %7s %8s %8s %8s  %s\n",
		"scenario", "rounds", "failed", "requests", "gone", "p50", "p99", "max", "answers of each instance")
	failed, requests, gone := 0, 0, 0
	var errs []error
	for _, s := range chosen {
		result, err := scenario.Run(ctx, s, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
			fmt.Fprintf(out, "%-16s did not come to an end\n", s.Name)
			continue
		}
		tell(out, s.Name, result)
		failed, requests, gone = failed+result.Failed, requests+result.Requests, gone+result.Wronged
		if !result.Good() {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, errHarm))
		}
	}
	fmt.Fprintf(out, "total: %d of %d requests failed; instances deregistered while alive: %d\n", failed, requests, gone)
	return errors.Join(errs...)
}

// tell prints what came of a scenario; if anything went wrong, with all that may explain it.
func tell(out io.Writer, name string, o *scenario.Outcome) {
	fmt.Fprintf(out, "%-16s %6d %6d %9d %7d %8s %8s %8s  %s\n",
		name, len(o.Rounds), o.Failed, o.Requests, o.Wronged, short(o.Latency(50)), short(o.Latency(99)), short(o.Latency(100)), o.Spread())
	if o.Good() {
		return
	}
	fmt.Fprintf(out, "  failed: %s\n  trouble at:", o.Reasons())
	for _, at := range o.Rounds {
		fmt.Fprintf(out, " %.1fs", at.Seconds())
	}
	fmt.Fprintf(out, "\n  requests began up to %s late: that is this machine's part\n", short(o.Late))
	for _, failure := range o.Failures {
		fmt.Fprintf(out, "  %s\n", failure)
	}
	fmt.Fprintln(out, o.Logs)
}

// short writes a time in milliseconds.
func short(d time.Duration) string { return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000) }
