// Package mysql keeps events in MySQL or MariaDB.
package mysql

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/mysql"
	"eventprospect/services/event/internal/event"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an event.Store in one MySQL or MariaDB database.
type Store struct{ db *sql.DB }

// Open connects to the database of this URL (mysql://user:password@host:port/name) and brings its schema up to date.
func Open(ctx context.Context, url string) (*Store, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := mysql.Open(ctx, url, folder)
	return &Store{db}, err
}

// Close closes all connections.
func (s *Store) Close() error { return s.db.Close() }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.db.PingContext(ctx) }

const columns = `id, name, date_event, kind, prospect_id, created, updated, version`

// row has a mark for each of the columns.
const row = `(?, ?, ?, ?, ?, ?, ?, ?)`

func values(e event.Event) []any {
	return []any{e.ID, e.Name, e.Date, string(e.Kind), e.ProspectID, e.Created.UTC(), e.Updated.UTC(), e.Version}
}

func scan(row interface{ Scan(...any) error }) (e event.Event, err error) {
	err = row.Scan(&e.ID, &e.Name, &e.Date, (*string)(&e.Kind), &e.ProspectID, &e.Created, &e.Updated, &e.Version)
	return e, err
}

// Create implements event.Store. A single statement is a transaction, in one round trip.
func (s *Store) Create(ctx context.Context, e event.Event) error {
	return mysql.Bounded(ctx, func(ctx context.Context) error {
		_, err := s.db.ExecContext(ctx, `INSERT INTO events (`+columns+`) VALUES `+row, values(e)...)
		if mysql.IsDuplicate(err) {
			return fault.Taken(event.Resource, e.ID).Because(err)
		}
		return err
	})
}

// Get implements event.Store.
func (s *Store) Get(ctx context.Context, ids ...string) ([]event.Event, error) {
	if len(ids) == 0 {
		return nil, nil // MySQL has no empty list
	}
	wanted := make([]any, len(ids))
	for i, id := range ids {
		wanted[i] = id
	}
	found, err := s.query(ctx, `SELECT `+columns+` FROM events WHERE id IN (`+repeat(`?`, len(ids))+`)`, wanted...)
	if err != nil {
		return nil, err
	}
	return event.InOrder(found, ids)
}

// repeat gives n times the text, with commas between.
func repeat(text string, n int) string { return strings.TrimSuffix(strings.Repeat(text+`, `, n), `, `) }

// List implements event.Store.
func (s *Store) List(ctx context.Context, q event.Query) ([]event.Event, error) {
	text, args := listQuery(q)
	return s.query(ctx, text, args...)
}

// listQuery spells out the comparison of places: MySQL doesn't use an index for the comparison of rows.
func listQuery(q event.Query) (string, []any) {
	where, args := conditions(q.Filter)
	if q.After != (event.Place{}) {
		at := q.After.Created.UTC()
		where = append(where, `created >= ? AND (created > ? OR id > ?)`)
		args = append(args, at, at, q.After.ID)
	}
	return `SELECT ` + columns + ` FROM events` + clause(where) + ` ORDER BY created, id LIMIT ? OFFSET ?`,
		append(args, q.Limit, q.Offset)
}

// Count implements event.Store.
func (s *Store) Count(ctx context.Context, f event.Filter) (n int, err error) {
	where, args := conditions(f)
	err = mysql.Bounded(ctx, func(ctx context.Context) error {
		return s.db.QueryRowContext(ctx, `SELECT count(*) FROM events`+clause(where), args...).Scan(&n)
	})
	return n, err
}

func conditions(f event.Filter) (where []string, args []any) {
	for _, c := range []struct{ text, value string }{
		{`prospect_id = ?`, f.ProspectID}, {`date_event = ?`, f.Date}, {`kind = ?`, string(f.Kind)},
	} {
		if c.value != "" {
			where, args = append(where, c.text), append(args, c.value)
		}
	}
	return where, args
}

func clause(where []string) string {
	if len(where) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(where, ` AND `)
}

// Update implements event.Store. The row is locked when it is read, so that changes of one event wait for each other.
func (s *Store) Update(ctx context.Context, id string, change func(*event.Event) error) (e event.Event, err error) {
	err = mysql.Write(ctx, s.db, func(ctx context.Context, tx *sql.Tx) (err error) {
		if e, err = lock(ctx, tx, id); err != nil {
			return err
		}
		if err := change(&e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE events SET name = ?, date_event = ?, updated = ?, version = ? WHERE id = ?`,
			e.Name, e.Date, e.Updated.UTC(), e.Version, id)
		return err
	})
	return e, err
}

// Delete implements event.Store.
func (s *Store) Delete(ctx context.Context, id string, check func(event.Event) error) error {
	return mysql.Write(ctx, s.db, func(ctx context.Context, tx *sql.Tx) error {
		e, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := check(e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM events WHERE id = ?`, id)
		return err
	})
}

func lock(ctx context.Context, tx *sql.Tx, id string) (event.Event, error) {
	e, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM events WHERE id = ? FOR UPDATE`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, fault.Missing(event.Resource, id)
	}
	return e, err
}

func (s *Store) query(ctx context.Context, text string, args ...any) (found []event.Event, err error) {
	err = mysql.Bounded(ctx, func(ctx context.Context) error {
		rows, err := s.db.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		found, err = collect(rows)
		return err
	})
	return found, err
}

func collect(rows *sql.Rows) (found []event.Event, err error) {
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, e)
	}
	return found, rows.Err()
}
