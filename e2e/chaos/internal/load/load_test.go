package load

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestCallsAreDueAtTheRateWithoutDrift(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{1, 3, 7, 400, 999} {
		for seconds := range 3 {
			if at := due(seconds*rate, rate); at != time.Duration(seconds)*time.Second {
				t.Errorf("rate %d: call %d is due at %v", rate, seconds*rate, at)
			}
		}
		for n := range 2 * rate {
			if due(n+1, rate) <= due(n, rate) {
				t.Errorf("rate %d: call %d isn't due before the next", rate, n)
			}
		}
	}
}

// TestSlowAnswersHoldUpNoCall calls something that answers after a second, ten times a second.
func TestSlowAnswersHoldUpNoCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 950*time.Millisecond)
		defer cancel()
		result := Run(ctx, Plan{Rate: 10, Deadline: 5 * time.Second}, func(context.Context) (string, error) {
			time.Sleep(time.Second)
			return "a", nil
		})
		if result.Requests != 10 || result.Failed != 0 || result.Landed["a"] != 10 {
			t.Errorf("%d requests, %d failed, landed %v; want 10 and 0", result.Requests, result.Failed, result.Landed)
		}
		if p50 := result.Latency(50); p50 != time.Second {
			t.Errorf("p50 %v, want 1s", p50)
		}
	})
}

func TestTheDeadlineBoundsACallAndTheEndOfTheLoadDoesNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		result := Run(ctx, Plan{Rate: 10, Deadline: 2 * time.Second, Name: func(err error) string { return err.Error() }},
			func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() })
		if result.Codes[context.DeadlineExceeded.Error()] != 1 || result.Latency(100) != 2*time.Second {
			t.Errorf("failures %v after %v, want one deadline after 2s", result.Codes, result.Latency(100))
		}
	})
}

func TestALateStartCountsAsWaiting(t *testing.T) {
	t.Parallel()
	r := &Result{Landed: map[string]int{}, Codes: map[string]int{}, When: map[int]int{}, name: func(error) string { return "code" }}
	r.note(0, time.Second, "b", nil)
	r.note(0, 3*time.Second, "a", nil)
	r.note(time.Second, 2*time.Second, "", errors.New("gone"))
	if r.Requests != 3 || r.Failed != 1 || r.Spread() != "1/1" || r.Reasons() != "code 1 (1s: 1)" || r.Latency(100) != 3*time.Second {
		t.Errorf("%d requests, %d failed (%s), %s, max %v", r.Requests, r.Failed, r.Reasons(), r.Spread(), r.Latency(100))
	}
	if want := []string{"due at 1.000s, after 2s: gone"}; !slices.Equal(r.Failures, want) {
		t.Errorf("failures %q, want %q", r.Failures, want)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var values []time.Duration
	if got := Percentile(values, 50); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
	for i := range 200 {
		values = append(values, time.Duration(200-i))
	}
	for percent, want := range map[int]time.Duration{0: 1, 1: 2, 50: 100, 99: 198, 100: 200} {
		if got := Percentile(values, percent); got != want {
			t.Errorf("p%d of 1 to 200: %v, want %v", percent, got, want)
		}
	}
	if got := Percentile([]time.Duration{7}, 99); got != 7 {
		t.Errorf("p99 of one: %v", got)
	}
}
