// Package mysql connects to MySQL and MariaDB: a bounded pool, a deadline on every query, and errors that say whose they are.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"math/rand/v2"
	"time"

	"eventprospect/mesh/fault"
)

const (
	// maxConnections bounds the pool.
	maxConnections = 16
	// timeout bounds a query whose caller set no deadline, or a later one; waiting for a connection counts.
	timeout = 5 * time.Second
	// connectTimeout bounds one attempt to connect.
	connectTimeout = 2 * time.Second
	// attempts is how often a transaction is tried that lost against another, and maxPause how long it waits in between: a
	// random time, so that two don't meet again, of which the bound starts small and doubles.
	attempts = 10
	minPause = 4 * time.Millisecond
	maxPause = 250 * time.Millisecond
	// retryAfter is when a database that doesn't answer may be tried again.
	retryAfter = time.Second
)

// Open connects to the database of this URL (mysql://user:password@host:port/name) and brings its schema up to date; of
// several processes that start at once, one does and the others wait.
func Open(ctx context.Context, address string, migrations fs.FS) (*sql.DB, error) {
	db, err := Connect(address)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, migrations); err != nil {
		return nil, fail(ctx, errors.Join(err, db.Close()))
	}
	return db, nil
}

// Bounded runs one query with a deadline and gives its error a kind. A query that lost against another is tried again.
func Bounded(ctx context.Context, query func(context.Context) error) error {
	bound, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	limit := minPause
	for attempt := 1; ; attempt++ {
		err := query(bound)
		if lost(err) && attempt < attempts && pause(bound, limit) {
			limit = min(2*limit, maxPause)
			continue
		}
		if err = fail(ctx, err); err != nil && bound.Err() != nil && ctx.Err() == nil && !decided(err) {
			return fault.Away("the database", retryAfter).Because(err) // it had its time; the caller has some left
		}
		return err
	}
}

// pause waits for a random time up to this limit; it tells whether there is time left.
func pause(ctx context.Context, limit time.Duration) bool {
	timer := time.NewTimer(rand.N(limit))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Write runs one transaction: what do writes is committed as a whole, or not at all if it returns an error. A transaction
// that lost against another is run again, so do must be safe to repeat.
func Write(ctx context.Context, db *sql.DB, do func(context.Context, *sql.Tx) error) error {
	return Bounded(ctx, func(ctx context.Context) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := do(ctx, tx); err != nil {
			_ = tx.Rollback() // the reason to roll back is what matters
			return err
		}
		return tx.Commit()
	})
}
