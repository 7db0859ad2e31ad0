package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"

	"eventprospect/mesh/fault"
)

// tables is one table.
var tables = fstest.MapFS{"00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (id TEXT NOT NULL PRIMARY KEY, name TEXT UNIQUE, size INTEGER NOT NULL CHECK (size > 0)) STRICT;
-- +goose Down
DROP TABLE things;
`)}}

func newDB(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path, tables)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func temporary(t testing.TB) *DB {
	t.Helper()
	return newDB(t, filepath.Join(t.TempDir(), "things.db"))
}

func insert(ctx context.Context, db *DB, id, name string) error {
	return db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO things (id, name, size) VALUES (?, ?, 1)`, id, name)
		return err
	})
}

func count(t *testing.T, db *DB) int {
	t.Helper()
	var n int
	if err := db.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteKeepsAllOrNothing(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	cases := map[string]struct {
		end  func() error
		rows int
	}{
		"success": {func() error { return nil }, 1},
		"error":   {func() error { return refused }, 0},
		"panic":   {func() error { panic(refused) }, 0},
	}
	for name, c := range cases {
		db := temporary(t)
		func() {
			defer func() { _ = recover() }()
			_ = db.Write(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO things (id, name, size) VALUES ('a', 'a', 1)`); err != nil {
					return err
				}
				return c.end()
			})
		}()
		if n := count(t, db); n != c.rows {
			t.Errorf("%s: %d rows, want %d", name, n, c.rows)
		}
		if err := insert(t.Context(), db, "b", "b"); err != nil {
			t.Errorf("%s: the next write: %v", name, err)
		}
	}
}

func TestIsDuplicate(t *testing.T) {
	t.Parallel()
	db := temporary(t)
	if err := insert(t.Context(), db, "a", "a"); err != nil {
		t.Fatal(err)
	}
	tooSmall := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO things (id, name, size) VALUES ('c', 'c', 0)`)
		return err
	})
	cases := map[string]struct {
		err  error
		want bool
	}{
		"primary key":  {insert(t.Context(), db, "a", "b"), true},
		"unique index": {insert(t.Context(), db, "b", "a"), true},
		"check":        {tooSmall, false},
		"other":        {errors.New("other"), false},
		"none":         {nil, false},
	}
	for name, c := range cases {
		if got := IsDuplicate(c.err); got != c.want {
			t.Errorf("%s: %v (%v), want %v", name, got, c.err, c.want)
		}
	}
	if tooSmall == nil {
		t.Error("the check let it pass")
	}
}

func TestReadOnlyDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	db := temporary(t)
	if err := db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `PRAGMA query_only = 1`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	err := insert(t.Context(), db, "a", "a")
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("error %v, want Unavailable with a time to try again", err)
	}
}

func TestLockedDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "things.db")
	db, other := newDB(t, path), newDB(t, path)
	if _, err := db.write.Exec(`PRAGMA busy_timeout = 1`); err != nil {
		t.Fatal(err)
	}
	err := other.Write(t.Context(), func(*sql.Tx) error {
		return insert(t.Context(), db, "a", "a") // while the other one is writing
	})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v, want Unavailable", err)
	}
}

func TestEndedContextIsSaid(t *testing.T) {
	t.Parallel()
	db := temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := insert(ctx, db, "a", "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("write: error %v, want %v", err, context.Canceled)
	}
	if _, err := db.Query(ctx, `SELECT 1`); !errors.Is(err, context.Canceled) {
		t.Errorf("query: error %v, want %v", err, context.Canceled)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// TestContextEndsDuringAWrite ends the context before the commit: nothing may stay.
func TestContextEndsDuringAWrite(t *testing.T) {
	t.Parallel()
	db := temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO things (id, name, size) VALUES ('a', 'a', 1)`)
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if n := count(t, db); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestFaultKeepsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	missing, other := fault.Missing("Thing", "a"), errors.New("other")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Fault(ended, missing); !errors.Is(err, missing) || errors.Is(err, context.Canceled) {
		t.Errorf("a fault became %v", err)
	}
	if err := Fault(t.Context(), other); err != other { //nolint:errorlint // the very same
		t.Errorf("an error became %v", err)
	}
	if err := Fault(ended, nil); err != nil {
		t.Errorf("success became %v", err)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	t.Parallel()
	db := temporary(t)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 10 {
				if err := db.Write(t.Context(), func(tx *sql.Tx) error {
					_, err := tx.ExecContext(t.Context(), `INSERT INTO things (id, size) VALUES (hex(randomblob(16)), 1)`)
					return err
				}); err != nil {
					t.Error(err)
				}
				if err := db.QueryRow(t.Context(), `SELECT count(*) FROM things`).Scan(new(int)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := count(t, db); n != 160 {
		t.Errorf("%d rows, want 160", n)
	}
}

func TestPingTellsThatItIsClosed(t *testing.T) {
	t.Parallel()
	db := temporary(t)
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db.Ping(t.Context()) == nil {
		t.Error("a closed database answers")
	}
}
