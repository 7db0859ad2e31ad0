package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"eventprospect/mesh/bounded"
	"eventprospect/mesh/fault"
)

const (
	// attemptTimeout bounds one attempt: a member that is hung, or has lost its leader, keeps a request for longer than another
	// takes to answer it.
	attemptTimeout = time.Second
	// retryPause is how long to wait before the next attempt.
	retryPause = 50 * time.Millisecond
)

var errClosed = errors.New("the store is closed")

// call makes an attempt, again and again until one succeeds, fails for good, or the time is over: at most bounded.Timeout. The
// attempt must be safe to repeat.
func (s *Store) call(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, bounded.Timeout)
	defer cancel()
	for {
		err := once(ctx, attempt)
		if err == nil || final(err) || !pause(ctx, retryPause) {
			return err
		}
	}
}

func once(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return attempt(ctx)
}

// pause waits; it tells whether there is time left.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// final tells whether etcd has understood the request and refuses it. Everything else may be different the next time: there
// is no leader, or no connection, or no answer in time, or too much to do.
func final(err error) bool {
	var e rpctypes.EtcdError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code().String() {
	case "InvalidArgument", "FailedPrecondition", "OutOfRange", "NotFound", "PermissionDenied", "Unauthenticated", "Unimplemented":
		return !errors.Is(err, rpctypes.ErrNotLeader)
	}
	return false
}

// kind gives an error its kind: the end of the context, or the store being away. What etcd refuses stays as it is.
func kind(ctx context.Context, err error) error {
	switch {
	case err == nil || bounded.Decided(err):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case final(err):
		return err
	}
	return fault.Away("the registry's store", bounded.RetryAfter).Because(err)
}
