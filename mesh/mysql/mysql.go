// Package mysql connects to MySQL and MariaDB: a bounded pool, a deadline on every query, and errors that say whose they are.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"time"
)

const (
	// maxConnections bounds the pool.
	maxConnections = 16
	// connectTimeout bounds one attempt to connect.
	connectTimeout = 2 * time.Second
)

// Open connects to the database of this URL (mysql://user:password@host:port/name) and brings its schema up to date; of
// several processes that start at once, one does and the others wait.
func Open(ctx context.Context, address string, migrations fs.FS) (*sql.DB, error) {
	db, err := Connect(address)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, migrations); err != nil {
		return nil, rules.Fault(ctx, errors.Join(err, db.Close()))
	}
	return db, nil
}

// Bounded runs one query with a deadline and gives its error a kind. A query that lost against another is tried again.
func Bounded(ctx context.Context, query func(context.Context) error) error {
	return rules.Run(ctx, query)
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
