package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	mysql "github.com/go-sql-driver/mysql"

	"eventprospect/mesh/bounded"
	"eventprospect/mesh/fault"
)

func TestEveryErrorHasItsKind(t *testing.T) {
	t.Parallel()
	number := func(number uint16) error { return fmt.Errorf("query: %w", &mysql.MySQLError{Number: number}) }
	for name, c := range map[string]struct {
		err              error
		away, lost, dupe bool
	}{
		"too many connections":  {err: number(1040), away: true},
		"too many of this user": {err: number(1203), away: true},
		"shutting down":         {err: number(1053), away: true},
		"killed connection":     {err: number(1927), away: true},
		"killed query":          {err: number(1317), away: true},
		"disk full":             {err: number(1021), away: true},
		"table full":            {err: number(1114), away: true},
		"read-only server":      {err: number(1290), away: true},
		"read-only transaction": {err: number(1792), away: true},
		"read-only mode":        {err: number(1836), away: true},
		"out of memory":         {err: number(1037), away: true},
		"no majority":           {err: number(1047), away: true},
		"deadlock":              {err: number(1213), away: true, lost: true},
		"lock wait":             {err: number(1205), away: true, lost: true},
		"snapshot":              {err: number(1020), away: true, lost: true},
		"duplicate":             {err: number(1062), dupe: true},
		"password":              {err: number(1045)},
		"no such database":      {err: number(1049)},
		"syntax":                {err: number(1064)},
		"too long":              {err: number(1406)},
		"bad connection":        {err: driver.ErrBadConn, away: true},
		"invalid connection":    {err: mysql.ErrInvalidConn, away: true},
		"refused":               {err: &net.OpError{Op: "dial", Err: errors.New("refused")}, away: true},
		"cut off":               {err: io.ErrUnexpectedEOF, away: true},
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
	if err := rules.Fault(ended, number(1317)); !errors.Is(err, context.Canceled) || bounded.Decided(err) {
		t.Errorf("an ended context: %v", err)
	}
	if missing := fault.Missing("Thing", "a"); !errors.Is(rules.Fault(ended, missing), missing) {
		t.Error("a fault doesn't stay as it is")
	}
}

func TestTransactionsThatAlwaysLoseAreUnavailable(t *testing.T) {
	t.Parallel()
	tries := 0
	err := Bounded(t.Context(), func(context.Context) error { tries++; return &mysql.MySQLError{Number: 1213} })
	if !fault.Is(err, fault.Unavailable) || tries != bounded.Attempts {
		t.Errorf("error %v after %d tries, want Unavailable after %d", err, tries, bounded.Attempts)
	}
	ended, cancel := context.WithCancel(t.Context())
	err = Bounded(ended, func(context.Context) error { cancel(); return &mysql.MySQLError{Number: 1213} })
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
