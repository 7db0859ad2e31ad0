package rpc

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"eventprospect/mesh/fault"
)

const guardedMethod = "/event.v1.EventService/GetEvent"

// bench makes calls through a breaker, without a network.
type bench struct {
	t       *testing.T
	breaker *breaker
	log     *bytes.Buffer
	made    int
}

func newBench(t *testing.T) *bench {
	log := &bytes.Buffer{}
	option := WithBreaker("the part", DefaultBreaker(), slog.New(slog.NewTextHandler(log, nil)), guardedMethod)
	return &bench{t: t, log: log, breaker: option.(breakerOption).breaker}
}

// call makes a call that ends like this.
func (b *bench) call(ctx context.Context, method string, ending error) error {
	return b.breaker.unary(ctx, method, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		b.made++
		return ending
	})
}

// calls makes a call for each letter: + one that succeeds, - one that fails.
func (b *bench) calls(pattern string) {
	b.t.Helper()
	for _, letter := range pattern {
		var ending error
		if letter == '-' {
			ending = fault.Away("it", 0)
		}
		if err := b.call(b.t.Context(), guardedMethod, ending); !errors.Is(err, ending) {
			b.t.Fatalf("%s: %v", pattern, err)
		}
	}
}

// open tells whether a call is refused, and how long it should wait. It must not be made in a state that it would change.
func (b *bench) open() (wait time.Duration, open bool) {
	b.t.Helper()
	before := b.made
	err := b.call(b.t.Context(), guardedMethod, fault.New(fault.Canceled, "proves nothing"))
	var f *fault.Error
	if !errors.As(err, &f) {
		b.t.Fatal(err)
	}
	return f.RetryAfter, b.made == before && f.Kind == fault.Unavailable
}

func TestTheBreakerOpensByTheShareOfTheLastCalls(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]bool{
		"--": false, "---": true, "+--": true, "--+": false, "--+-": true, "++--": true, "+++--": false, "+++---": true,
		"++++-": false, "+-+-": true, "+-++-": false, "+-++-+-": false, "--++++++++--": false,
	} {
		b := newBench(t)
		b.calls(pattern)
		if _, open := b.open(); open != want {
			t.Errorf("after %s it is open: %v", pattern, open)
		}
	}
}

func TestWhatCountsAsAFailure(t *testing.T) {
	t.Parallel()
	failures := map[fault.Kind]bool{fault.Unavailable: true, fault.Timeout: true, fault.Internal: true}
	for _, kind := range fault.Kinds() {
		b := newBench(t)
		for range 3 {
			_ = b.call(t.Context(), guardedMethod, fault.New(kind, "x"))
		}
		if _, open := b.open(); open != failures[kind] {
			t.Errorf("kind %d: it is open: %v", kind, open)
		}
	}
}

func TestTheCallersOwnDeadlineCountsOnlyIfItWasLong(t *testing.T) {
	t.Parallel()
	for limit, want := range map[time.Duration]bool{300 * time.Millisecond: false, 1500 * time.Millisecond: true, time.Hour: true} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			for range 3 {
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				err := b.breaker.unary(ctx, guardedMethod, nil, nil, nil, func(ctx context.Context, _ string, _, _ any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
					<-ctx.Done()
					return FromError(ctx.Err())
				})
				if !fault.Is(err, fault.Timeout) {
					t.Error(err)
				}
				cancel()
			}
			if _, open := b.open(); open != want {
				t.Errorf("%v: it is open: %v", limit, open)
			}
		})
	}
}

func TestAnOpenBreakerTriesAgainWithOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.calls("---")
		time.Sleep(4 * time.Second)
		if wait, open := b.open(); !open || wait != 6*time.Second {
			t.Errorf("open: %v, wait %v", open, wait)
		}
		time.Sleep(6*time.Second + time.Nanosecond)
		b.calls("-") // the trial fails
		if wait, open := b.open(); !open || wait != 10*time.Second {
			t.Errorf("after a trial that failed: open: %v, wait %v", open, wait)
		}
		time.Sleep(10*time.Second + time.Nanosecond)
		release, ended := make(chan struct{}), make(chan error)
		go func() {
			ended <- b.breaker.unary(t.Context(), guardedMethod, nil, nil, nil, func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
				<-release
				return nil
			})
		}()
		synctest.Wait()
		if wait, open := b.open(); !open || wait != trialTime {
			t.Errorf("during the trial: open: %v, wait %v", open, wait)
		}
		close(release)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		b.calls("+--") // it begins anew: what was before doesn't count
		if _, open := b.open(); !open {
			t.Error("it doesn't open again")
		}
		if got := strings.Count(b.log.String(), `msg="circuit breaker changed" part="the part"`); got != 6 {
			t.Errorf("%d changes in the log, want 6:\n%s", got, b.log)
		}
	})
}

// A trial whose caller gives up must not keep the breaker from trying once more.
func TestATrialThatProvesNothingIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.calls("---")
		time.Sleep(10*time.Second + time.Nanosecond)
		_ = b.call(t.Context(), guardedMethod, fault.New(fault.Canceled, "gone"))
		b.calls("+")
		if _, open := b.open(); open {
			t.Error("it is open")
		}
	})
}

func TestOtherMethodsPassAnOpenBreaker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.calls("---")
	if err := b.call(t.Context(), "/event.v1.EventService/ListEvents", nil); err != nil {
		t.Error(err)
	}
}

func TestBreakerConfigNamesEverySettingThatCannotWork(t *testing.T) {
	t.Parallel()
	if err := DefaultBreaker().Validate(); err != nil {
		t.Error(err)
	}
	err := BreakerConfig{Timeout: -1, Window: 2, MinimumCalls: 3, FailureRate: 101}.Validate()
	for _, name := range []string{"timeout: ", "minimum_calls: ", "failure_rate: ", "open: "} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v doesn't name %s", err, name)
		}
	}
}
