package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// kept is how many failures are kept as they were; all are counted.
const kept = 20

// Result is what came of a load. It may be read when Run has returned.
type Result struct {
	// Requests counts all calls, Failed those that failed.
	Requests, Failed int
	// Codes counts the failures by code, Landed the answers by instance.
	Codes, Landed map[string]int
	// Failures are the first ones, with the time since the begin at which they were due.
	Failures []string
	// When counts the failures by the second, from the begin, in which they were due.
	When map[int]int
	// Late is how long after it was due a call began at worst: more than some milliseconds say that this machine was busy.
	Late time.Duration

	mu    sync.Mutex
	begin time.Time
	name  func(error) string
	took  []time.Duration
}

func (r *Result) note(at, took time.Duration, instance string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Requests++
	r.took = append(r.took, took)
	if err == nil {
		r.Landed[instance]++
		return
	}
	r.Failed++
	r.Codes[r.name(err)]++
	r.When[int(at/time.Second)]++
	if len(r.Failures) < kept {
		r.Failures = append(r.Failures, fmt.Sprintf("due at %.3fs, after %v: %v", at.Seconds(), took.Round(time.Millisecond), err))
	}
}

// late is for the one goroutine that makes the calls.
func (r *Result) late(by time.Duration) { r.Late = max(r.Late, by) }

// Latency gives the time that so many percent of the calls, failed ones included, took at most.
func (r *Result) Latency(percent int) time.Duration { return Percentile(r.took, percent) }

// Percentile gives the value that so many percent of all are at most (nearest rank); 100 gives the largest. It sorts the
// values. Without any it is 0.
func Percentile(values []time.Duration, percent int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	rank := (len(values)*percent + 99) / 100 // rounded up
	return values[max(rank, 1)-1]
}

// Spread writes how the answers were spread over the instances, by their names: "4001/3999/4000".
func (r *Result) Spread() string {
	var counts []string
	for _, name := range slices.Sorted(maps.Keys(r.Landed)) {
		counts = append(counts, fmt.Sprint(r.Landed[name]))
	}
	return strings.Join(counts, "/")
}

// Reasons writes the failures by code, and by the second in which they were due: "Unavailable 3 (12s: 2, 13s: 1)".
func (r *Result) Reasons() string {
	var reasons, seconds []string
	for _, code := range slices.Sorted(maps.Keys(r.Codes)) {
		reasons = append(reasons, fmt.Sprintf("%s %d", code, r.Codes[code]))
	}
	for _, second := range slices.Sorted(maps.Keys(r.When)) {
		seconds = append(seconds, fmt.Sprintf("%ds: %d", second, r.When[second]))
	}
	if len(reasons) == 0 {
		return "none"
	}
	return fmt.Sprintf("%s (%s)", strings.Join(reasons, ", "), strings.Join(seconds, ", "))
}
