package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"google.golang.org/grpc"

	"eventprospect/mesh/fault"
)

// BreakerConfig says when calls that must fail fast aren't made any more. The names in brackets are Resilience4j's.
type BreakerConfig struct {
	// Timeout bounds each call, all its attempts included (timeoutDuration).
	Timeout time.Duration `koanf:"timeout"`
	// Window is how many of the last calls count (slidingWindowSize).
	Window int `koanf:"window"`
	// MinimumCalls is how many calls must have been made before they tell anything (minimumNumberOfCalls).
	MinimumCalls int `koanf:"minimum_calls"`
	// FailureRate is the share of failed calls, in percent, from which on the breaker opens (failureRateThreshold).
	FailureRate int `koanf:"failure_rate"`
	// Open is how long the breaker stays open; then one call is made as a trial (waitDurationInOpenState).
	Open time.Duration `koanf:"open"`
}

// DefaultBreaker opens for 10 s when half of the last 5 calls, and at least 3 have been made, have failed.
func DefaultBreaker() BreakerConfig {
	return BreakerConfig{Timeout: 2 * time.Second, Window: 5, MinimumCalls: 3, FailureRate: 50, Open: 10 * time.Second}
}

// Validate names every setting that can't work.
func (c BreakerConfig) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Timeout <= 0, "timeout: %v is not more than 0", c.Timeout)
	refuse(c.Window < 1 || c.Window > maxWindow, "window: %d is not between 1 and %d", c.Window, maxWindow)
	refuse(c.MinimumCalls < 1 || c.MinimumCalls > c.Window, "minimum_calls: %d is not between 1 and the window, %d", c.MinimumCalls, c.Window)
	refuse(c.FailureRate < 1 || c.FailureRate > 100, "failure_rate: %d is not between 1 and 100", c.FailureRate)
	refuse(c.Open <= 0, "open: %v is not more than 0", c.Open)
	return errors.Join(errs...)
}

// trialTime is when to try again while another call tries whether the part is back.
const trialTime = time.Second

// WithBreaker puts one breaker before these methods, by their full names. While it is open, a call isn't made: it fails as
// Unavailable at once, and says when the breaker will try again. Part is how the fault calls the other side: "the Event service".
func WithBreaker(part string, cfg BreakerConfig, log *slog.Logger, methods ...string) grpc.DialOption {
	b := &breaker{part: part, cfg: cfg, log: log, methods: methods, window: newWindow(cfg.Window)}
	b.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:          part,
		MaxRequests:   1,
		Timeout:       cfg.Open,
		IsExcluded:    func(err error) bool { return errors.Is(err, errProvesNothing) },
		IsSuccessful:  b.note,
		ReadyToTrip:   func(gobreaker.Counts) bool { return b.window.failing(cfg.MinimumCalls, cfg.FailureRate) },
		OnStateChange: b.changed,
	})
	return breakerOption{breaker: b}
}

// breakerOption is for NewClient, which puts the breaker before all attempts; to gRPC it says nothing.
type breakerOption struct {
	grpc.EmptyDialOption
	*breaker
}

// breaker leaves the states to gobreaker, which counts since its last change and has no window of calls: that is here. All that
// gobreaker calls back runs under its lock.
type breaker struct {
	part    string
	cfg     BreakerConfig
	log     *slog.Logger
	methods []string
	window  *window
	closeAt atomic.Int64 // when an open breaker lets a trial through, in nanoseconds of Unix time
	breaker *gobreaker.CircuitBreaker[struct{}]
}

func (b *breaker) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if !slices.Contains(b.methods, method) {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	var answer error
	_, err := b.breaker.Execute(func() (struct{}, error) {
		limited, cancel := context.WithTimeout(ctx, b.cfg.Timeout)
		defer cancel()
		began := time.Now()
		answer = invoke(limited, method, req, reply, cc, opts...)
		return struct{}{}, b.judge(ctx, answer, time.Since(began))
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return fault.Away(b.part, b.wait()).Because(err)
	}
	return answer
}

var (
	errFailed        = errors.New("failed")
	errProvesNothing = errors.New("proves nothing")
)

// judge says what a call tells of the other side. That it refuses a request is a sign of life. That the caller gave up proves
// nothing, nor does a deadline of the caller's that was much shorter than what a call may take.
func (b *breaker) judge(ctx context.Context, err error, took time.Duration) error {
	switch {
	case err == nil:
		return nil
	case fault.Is(err, fault.Canceled):
		return errProvesNothing
	case fault.Is(err, fault.Timeout) && ctx.Err() != nil && took < b.cfg.Timeout/2:
		return errProvesNothing
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Timeout), fault.Is(err, fault.Internal):
		return errFailed
	}
	return nil
}

func (b *breaker) note(err error) bool {
	b.window.add(err != nil)
	return err == nil
}

// changed says each change of state in the log, once.
func (b *breaker) changed(part string, from, to gobreaker.State) {
	b.window.clear()
	if to == gobreaker.StateOpen {
		b.closeAt.Store(time.Now().Add(b.cfg.Open).UnixNano())
	}
	b.log.Warn("circuit breaker changed", "part", part, "from", from.String(), "to", to.String())
}

// wait tells how long it makes no sense to try again.
func (b *breaker) wait() time.Duration {
	if left := time.Until(time.Unix(0, b.closeAt.Load())); left > 0 {
		return left
	}
	return trialTime
}
