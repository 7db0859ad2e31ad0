package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"eventprospect/mesh/bounded"
	"eventprospect/mesh/fault"
)

func TestEveryErrorHasItsKind(t *testing.T) {
	t.Parallel()
	code := func(code string) error { return fmt.Errorf("query: %w", &pgconn.PgError{Code: code}) }
	for name, c := range map[string]struct {
		err              error
		away, lost, dupe bool
	}{
		"connection lost":       {err: code("08006"), away: true},
		"too many connections":  {err: code("53300"), away: true},
		"disk full":             {err: code("53100"), away: true},
		"shutting down":         {err: code("57P01"), away: true},
		"cancelled by server":   {err: code("57014"), away: true},
		"input or output":       {err: code("58030"), away: true},
		"read-only":             {err: code("25006"), away: true},
		"idle in transaction":   {err: code("25P03"), away: true},
		"serialization failure": {err: code("40001"), away: true, lost: true},
		"deadlock":              {err: code("40P01"), away: true, lost: true},
		"duplicate":             {err: code("23505"), dupe: true},
		"password":              {err: code("28P01")},
		"no such database":      {err: code("3D000")},
		"syntax":                {err: code("42601")},
		"a code that is none":   {err: code("5")},
		"refused":               {err: &net.OpError{Op: "dial", Err: errors.New("refused")}, away: true},
		"cut off":               {err: io.ErrUnexpectedEOF, away: true},
		"closed":                {err: net.ErrClosed, away: true},
		"slow":                  {err: context.DeadlineExceeded, away: true},
		"other":                 {err: errors.New("other")},
		"none":                  {},
	} {
		err := rules.Fault(t.Context(), c.err)
		var f *fault.Error
		if got := errors.As(err, &f); got != c.away || got && (f.Kind != fault.Unavailable || f.RetryAfter <= 0) {
			t.Errorf("%s: %v, want Unavailable: %v", name, err, c.away)
		}
		if !errors.Is(err, c.err) {
			t.Errorf("%s: the cause is lost: %v", name, err)
		}
		if lost(c.err) != c.lost || IsDuplicate(c.err) != c.dupe {
			t.Errorf("%s: lost %v, duplicate %v", name, lost(c.err), IsDuplicate(c.err))
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := rules.Fault(ended, code("57014")); !errors.Is(err, context.Canceled) || bounded.Decided(err) {
		t.Errorf("an ended context: %v", err)
	}
	if missing := fault.Missing("Thing", "a"); !errors.Is(rules.Fault(ended, missing), missing) {
		t.Error("a fault doesn't stay as it is")
	}
}

func TestTransactionsThatAlwaysLoseAreUnavailable(t *testing.T) {
	t.Parallel()
	tries := 0
	err := Bounded(t.Context(), func(context.Context) error { tries++; return &pgconn.PgError{Code: "40001"} })
	if !fault.Is(err, fault.Unavailable) || tries != bounded.Attempts {
		t.Errorf("error %v after %d tries, want Unavailable after %d", err, tries, bounded.Attempts)
	}
	ended, cancel := context.WithCancel(t.Context())
	err = Bounded(ended, func(context.Context) error { cancel(); return &pgconn.PgError{Code: "40001"} })
	if !errors.Is(err, context.Canceled) || bounded.Decided(err) {
		t.Errorf("error %v, want the end of the context", err)
	}
}

// TestADatabaseThatTakesTooLongIsUnavailable: the caller, who set no deadline or a later one, isn't told of one.
func TestADatabaseThatTakesTooLongIsUnavailable(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context) error { <-ctx.Done(); return errors.New("the driver's words") }
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := Bounded(t.Context(), hang)
		if !fault.Is(err, fault.Unavailable) || time.Since(began) != bounded.Timeout {
			t.Errorf("error %v after %v, want Unavailable after %v", err, time.Since(began), bounded.Timeout)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Bounded(ctx, hang); !errors.Is(err, context.DeadlineExceeded) || bounded.Decided(err) {
			t.Errorf("error %v, want the end of the caller's time", err)
		}
		missing := fault.Missing("Thing", "a")
		if err := Bounded(t.Context(), func(ctx context.Context) error { <-ctx.Done(); return missing }); !errors.Is(err, missing) {
			t.Errorf("error %v, want what was found", err)
		}
	})
}
