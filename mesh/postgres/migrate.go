package postgres

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"eventprospect/mesh/schema"
)

const (
	// migrationLock is the advisory lock, of the database, that is held while one process migrates.
	migrationLock = 4097083626
	// migrationPoll is how often others ask for it. They ask, where they might wait: a waiting session has a snapshot, for the
	// end of which CREATE INDEX CONCURRENTLY waits.
	migrationPoll = 100 * time.Millisecond
	// unlockTimeout bounds the return of the lock; it also ends with the connection.
	unlockTimeout = time.Second
)

func migrate(ctx context.Context, pool *pgxpool.Pool, migrations fs.FS) error {
	db := stdlib.OpenDBFromPool(pool)
	return errors.Join(schema.Migrate(ctx, goose.DialectPostgres, db, migrations, goose.WithSessionLocker(locker{})), db.Close())
}

// locker is a lock.SessionLocker; goose's own asks only every few seconds.
type locker struct{}

// SessionLock waits for the lock until the context ends.
func (locker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	for {
		var locked bool
		err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, migrationLock).Scan(&locked)
		if err != nil || locked {
			return err
		}
		select {
		case <-time.After(migrationPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// SessionUnlock gives the lock back.
func (locker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
	defer cancel()
	_, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, migrationLock)
	return err
}
