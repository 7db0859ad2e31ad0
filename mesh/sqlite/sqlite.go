// Package sqlite opens the embedded database, the default for a laptop and for tests: one file, durable, safe
// for many concurrent callers of one process.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/schema"
)

// DB is an open database. SQLite has one writer at a time: writers queue up in Go, in order, where they would sleep and try
// again in SQLite. Readers see the last commit and wait for nobody (WAL).
type DB struct {
	read, write *sql.DB
}

// Open opens, or makes, the database in this file and brings its schema up to date with the migrations.
func Open(ctx context.Context, path string, migrations fs.FS) (*DB, error) {
	if path == "" {
		return nil, errors.New("database: no file is named") // SQLite would keep everything in memory
	}
	db := &DB{}
	var err error
	if db.write, err = open(path, 1); err == nil {
		err = schema.Migrate(ctx, goose.DialectSQLite3, db.write, migrations)
	}
	if err == nil {
		db.read, err = open(path, max(2, runtime.NumCPU()))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), db.Close())
	}
	return db, nil
}

func open(path string, connections int) (*sql.DB, error) {
	// FULL: a commit that was acknowledged survives a loss of power, too.
	pragmas := url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "foreign_keys(1)"},
	}
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// Close closes the database.
func (db *DB) Close() error {
	var errs []error
	for _, d := range []*sql.DB{db.read, db.write} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping tells whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.read.PingContext(ctx) }

// Query reads.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := db.read.QueryContext(ctx, query, args...)
	return rows, Fault(ctx, err)
}

// QueryRow reads one row.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return db.read.QueryRowContext(ctx, query, args...)
}

// Write runs one transaction: what do writes is committed as a whole, or not at all if it returns an error.
func (db *DB) Write(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return Fault(ctx, err)
	}
	// Does nothing after a commit. Also when do panics: there is but one connection to write with.
	defer func() { _ = tx.Rollback() }()
	if err := do(tx); err != nil {
		return Fault(ctx, err)
	}
	return Fault(ctx, tx.Commit())
}

// retryAfter is when a busy or full database may be tried again.
const retryAfter = time.Second

// Fault gives an error of the driver its kind: the end of the context, or the database being unable to
// write now. Other errors stay as they are.
func Fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	switch code(err) {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return fault.Away("the database", retryAfter).Because(err)
	}
	return err
}

// IsDuplicate tells whether a primary key or unique index refused the row.
func IsDuplicate(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}

// code gives SQLite's primary result code; the extended one has more bits.
func code(err error) int {
	var e *driver.Error
	if !errors.As(err, &e) {
		return sqlite3.SQLITE_OK
	}
	return e.Code() & 0xff
}
