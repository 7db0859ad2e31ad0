// Package sqlite keeps events in SQLite.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/sqlite"
	"eventprospect/services/event/internal/event"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an event.Store in one SQLite file.
type Store struct{ *sqlite.DB }

// Open opens, or makes, the store in this file.
func Open(ctx context.Context, path string) (*Store, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	db, err := sqlite.Open(ctx, path, folder)
	if err != nil {
		return nil, err
	}
	return &Store{db}, nil
}

const columns = `id, name, date_event, kind, prospect_id, created, updated, version`

const insertEvent = `INSERT INTO events (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

func values(e event.Event) []any {
	return []any{e.ID, e.Name, e.Date, e.Kind, e.ProspectID, e.Created.UnixMicro(), e.Updated.UnixMicro(), e.Version}
}

func scan(row interface{ Scan(...any) error }) (event.Event, error) {
	var e event.Event
	var created, updated int64
	err := row.Scan(&e.ID, &e.Name, &e.Date, &e.Kind, &e.ProspectID, &created, &updated, &e.Version)
	e.Created, e.Updated = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	return e, err
}

// Create implements event.Store.
func (s *Store) Create(ctx context.Context, e event.Event) error {
	return s.Write(ctx, func(tx *sql.Tx) error { return insert(ctx, tx, e) })
}

func insert(ctx context.Context, tx *sql.Tx, e event.Event) error {
	_, err := tx.ExecContext(ctx, insertEvent, values(e)...)
	if sqlite.IsDuplicate(err) {
		return fault.Taken(event.Resource, e.ID).Because(err)
	}
	return err
}

// Get implements event.Store.
func (s *Store) Get(ctx context.Context, ids ...string) ([]event.Event, error) {
	wanted := make([]any, len(ids))
	for i, id := range ids {
		wanted[i] = id
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	found, err := s.query(ctx, `SELECT `+columns+` FROM events WHERE id IN (`+marks+`)`, wanted...)
	if err != nil {
		return nil, err
	}
	return event.InOrder(found, ids)
}

// List implements event.Store.
func (s *Store) List(ctx context.Context, q event.Query) ([]event.Event, error) {
	text, args := listQuery(q)
	return s.query(ctx, text, args...)
}

func listQuery(q event.Query) (string, []any) {
	where, args := conditions(q.Filter)
	if q.After != (event.Place{}) {
		where = append(where, `(created, id) > (?, ?)`)
		args = append(args, q.After.Created.UnixMicro(), q.After.ID)
	}
	return `SELECT ` + columns + ` FROM events` + clause(where) + ` ORDER BY created, id LIMIT ? OFFSET ?`,
		append(args, q.Limit, q.Offset)
}

// Count implements event.Store.
func (s *Store) Count(ctx context.Context, f event.Filter) (int, error) {
	where, args := conditions(f)
	var n int
	err := s.QueryRow(ctx, `SELECT count(*) FROM events`+clause(where), args...).Scan(&n)
	return n, sqlite.Fault(ctx, err)
}

// conditions repeat those of the partial indexes, without which SQLite can't use them with a parameter.
func conditions(f event.Filter) (where []string, args []any) {
	if f.ProspectID != "" {
		where, args = append(where, `prospect_id = ? AND prospect_id <> ''`), append(args, f.ProspectID)
	}
	if f.Date != "" {
		where, args = append(where, `date_event = ? AND date_event <> ''`), append(args, f.Date)
	}
	if f.Kind != "" {
		where, args = append(where, `kind = ?`), append(args, f.Kind)
	}
	return where, args
}

func clause(where []string) string {
	if len(where) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(where, ` AND `)
}

// Update implements event.Store.
func (s *Store) Update(ctx context.Context, id string, change func(*event.Event) error) (event.Event, error) {
	var e event.Event
	err := s.Write(ctx, func(tx *sql.Tx) (err error) {
		if e, err = get(ctx, tx, id); err != nil {
			return err
		}
		if err := change(&e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			`UPDATE events SET name = ?, date_event = ?, updated = ?, version = ? WHERE id = ?`,
			e.Name, e.Date, e.Updated.UnixMicro(), e.Version, id)
		return err
	})
	return e, err
}

// Delete implements event.Store.
func (s *Store) Delete(ctx context.Context, id string, check func(event.Event) error) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		e, err := get(ctx, tx, id)
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

func get(ctx context.Context, tx *sql.Tx, id string) (event.Event, error) {
	e, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM events WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return e, fault.Missing(event.Resource, id)
	}
	return e, err
}

func (s *Store) query(ctx context.Context, text string, args ...any) ([]event.Event, error) {
	rows, err := s.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var all []event.Event
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, sqlite.Fault(ctx, err)
		}
		all = append(all, e)
	}
	return all, sqlite.Fault(ctx, rows.Err())
}
