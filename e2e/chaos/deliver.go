//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"eventprospect/e2e/chaos/internal/delivery"
	"eventprospect/e2e/chaos/internal/load"
)

// errUnkept says that the system has not done what it promises.
var errUnkept = errors.New("promises were broken")

// deliver runs the delivery, and prints a table of the faults and one of the counts.
func deliver(ctx context.Context, o delivery.Options, out io.Writer) error {
	kafka := fmt.Sprintf("%d brokers of Apache Kafka", o.Brokers)
	if o.Brokers == 0 {
		kafka = "the embedded Kafka"
	}
	fmt.Fprintf(out, "%d prospects by %d callers, on %s and %s; a fault every %v, seed %d\n", o.Prospects, o.Workers, kafka, o.EventStore, o.Every, o.Seed)
	result, err := delivery.Run(ctx, o)
	if err != nil {
		return err
	}
	tellFaults(out, result.Strikes)
	tellCounts(out, result)
	for _, err := range result.Ungraceful {
		fmt.Fprintln(out, "\nnot stopped gracefully:", err)
	}
	if len(result.Broken) == 0 {
		return nil
	}
	fmt.Fprintln(out, "\nbroken:")
	for _, promise := range result.Broken {
		fmt.Fprintln(out, "  "+promise)
	}
	fmt.Fprintln(out, "the logs and the data are in", result.Folder)
	return errUnkept
}

// tellFaults prints how often each fault struck, and how long it took until what it broke ran again.
func tellFaults(out io.Writer, strikes []delivery.Strike) {
	took := map[string][]time.Duration{}
	for _, s := range strikes {
		took[s.Fault] = append(took[s.Fault], s.Took)
	}
	fmt.Fprintf(out, "\n%-10s %5s %10s %10s  %s\n", "fault", "times", "away, p50", "max", "what happens")
	for _, name := range delivery.Names() {
		if all := took[name]; len(all) > 0 {
			fmt.Fprintf(out, "%-10s %5d %10s %10s  %s\n", name, len(all), short(load.Percentile(all, 50)), short(load.Percentile(all, 100)), delivery.About(name))
		}
	}
}

// tellCounts prints what was found at the end, and how fast it went.
func tellCounts(out io.Writer, r *delivery.Outcome) {
	fmt.Fprintf(out, "\n%-34s %9s %9s %9s\n", "", "count", "lost", "doubled")
	fmt.Fprintf(out, "%-34s %9d\n", "prospects acknowledged", r.Acknowledged)
	fmt.Fprintf(out, "%-34s %9d\n", "changes of them acknowledged", r.Changes)
	fmt.Fprintf(out, "%-34s %9d\n", "prospects, says the gateway", r.Shown)
	for _, line := range []struct {
		what string
		delivery.Match
	}{
		{"prospects stored", r.Prospects},
		{"messages on the topic", r.Passed},
		{"events stored: CREATED", r.Created},
		{"events stored: UPDATED", r.Updated},
	} {
		fmt.Fprintf(out, "%-34s %9d %9d %9d\n", line.what, line.Found, line.Lost, line.Doubled)
	}
	for _, line := range []struct {
		what  string
		count int
	}{
		{"out of order on the topic", r.Disorder},
		{"out of order as events", r.Backwards},
		{"on the DLQ", r.DLQ},
		{"not published", r.Backlog},
		{"not settled", r.Lag},
		{"records that repeat a message", r.Repeats},
	} {
		fmt.Fprintf(out, "%-34s %9d\n", line.what, line.count)
	}
	fmt.Fprintf(out, "\n%.0f creations/s for %v; all done %v later; attempts not acknowledged, and made again: %d\n",
		float64(r.Acknowledged)/r.Lasted.Seconds(), r.Lasted.Round(time.Second), r.Drained.Round(100*time.Millisecond), r.Retries())
	fmt.Fprintf(out, "a creation took p50 %s, p99 %s, max %s, from its first attempt\n", short(r.Latency(50)), short(r.Latency(99)), short(r.Latency(100)))
}
