package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"eventprospect/mesh/bounded"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/schema"
)

const (
	// migrationLock names the lock that is held while one process migrates: locks are the server's, so it names the database.
	migrationLock = `CONCAT('migrations-', MD5(DATABASE()))`
	// migrationWait is how long others wait for it before they try again.
	migrationWait = 10 * time.Second
	// unlockTimeout bounds the return of the lock; it also ends with the connection.
	unlockTimeout = time.Second
)

// migrate holds a lock of the server on a connection of its own meanwhile.
func migrate(ctx context.Context, db *sql.DB, migrations fs.FS) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // gives it back
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(`+migrationLock+`, ?)`, migrationWait.Seconds()).Scan(&got); err != nil {
		return err
	}
	if got.Int64 != 1 {
		return fault.Away("the database", bounded.RetryAfter).Because(fmt.Errorf("another process has been migrating it for %v", migrationWait))
	}
	err = schema.Migrate(ctx, goose.DialectMySQL, db, migrations)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
	defer cancel()
	_, released := conn.ExecContext(ctx, `DO RELEASE_LOCK(`+migrationLock+`)`)
	return errors.Join(err, released)
}
