// Package sqlite keeps prospects in SQLite, and with them the messages that tell of their changes.
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
	"eventprospect/mesh/outbox"
	"eventprospect/mesh/sqlite"
	"eventprospect/services/prospect/internal/prospect"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is a prospect.Store and an outbox.Queue in one SQLite file.
type Store struct {
	*sqlite.DB
	group *group
}

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
	s := &Store{DB: db, group: newGroup()}
	if err := s.release(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

const columns = `id, first_name, last_name, filed_work, id_event, created, updated, version`

const insertProspect = `INSERT INTO prospects (` + columns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`

func values(p prospect.Prospect) []any {
	return []any{p.ID, p.FirstName, p.LastName, p.FiledWork, p.IDEvent, p.Created.UnixMicro(), p.Updated.UnixMicro(), p.Version}
}

func scan(row interface{ Scan(...any) error }) (prospect.Prospect, error) {
	var p prospect.Prospect
	var created, updated int64
	err := row.Scan(&p.ID, &p.FirstName, &p.LastName, &p.FiledWork, &p.IDEvent, &created, &updated, &p.Version)
	p.Created, p.Updated = time.UnixMicro(created).UTC(), time.UnixMicro(updated).UTC()
	return p, err
}

// Create implements prospect.Store.
func (s *Store) Create(ctx context.Context, p prospect.Prospect, messages ...outbox.Message) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, insertProspect, values(p)...)
		if sqlite.IsDuplicate(err) {
			return fault.Taken(prospect.Resource, p.ID).Because(err)
		}
		if err != nil {
			return err
		}
		return enqueue(ctx, tx, messages)
	})
}

// Get implements prospect.Store.
func (s *Store) Get(ctx context.Context, ids ...string) ([]prospect.Prospect, error) {
	wanted := make([]any, len(ids))
	for i, id := range ids {
		wanted[i] = id
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	found, err := s.query(ctx, `SELECT `+columns+` FROM prospects WHERE id IN (`+marks+`)`, wanted...)
	if err != nil {
		return nil, err
	}
	return prospect.InOrder(found, ids)
}

// List implements prospect.Store.
func (s *Store) List(ctx context.Context, q prospect.Query) ([]prospect.Prospect, error) {
	text, args := listQuery(q)
	return s.query(ctx, text, args...)
}

func listQuery(q prospect.Query) (string, []any) {
	where, args := conditions(q.Filter)
	if q.After != (prospect.Place{}) {
		where = append(where, `(created, id) > (?, ?)`)
		args = append(args, q.After.Created.UnixMicro(), q.After.ID)
	}
	return `SELECT ` + columns + ` FROM prospects` + clause(where) + ` ORDER BY created, id LIMIT ? OFFSET ?`,
		append(args, q.Limit, q.Offset)
}

// Count implements prospect.Store.
func (s *Store) Count(ctx context.Context, f prospect.Filter) (int, error) {
	where, args := conditions(f)
	var n int
	err := s.QueryRow(ctx, `SELECT count(*) FROM prospects`+clause(where), args...).Scan(&n)
	return n, sqlite.Fault(ctx, err)
}

// conditions repeat those of the partial indexes, without which SQLite can't use them with a parameter.
func conditions(f prospect.Filter) (where []string, args []any) {
	if f.FiledWork != "" {
		where, args = append(where, `filed_work = ? AND filed_work <> ''`), append(args, f.FiledWork)
	}
	if f.IDEvent != "" {
		where, args = append(where, `id_event = ? AND id_event <> ''`), append(args, f.IDEvent)
	}
	return where, args
}

func clause(where []string) string {
	if len(where) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(where, ` AND `)
}

// Update implements prospect.Store.
func (s *Store) Update(ctx context.Context, id string, change func(*prospect.Prospect) ([]outbox.Message, error)) (prospect.Prospect, error) {
	var p prospect.Prospect
	err := s.Write(ctx, func(tx *sql.Tx) (err error) {
		if p, err = get(ctx, tx, id); err != nil {
			return err
		}
		messages, err := change(&p)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx,
			`UPDATE prospects SET first_name = ?, last_name = ?, filed_work = ?, id_event = ?, updated = ?, version = ? WHERE id = ?`,
			p.FirstName, p.LastName, p.FiledWork, p.IDEvent, p.Updated.UnixMicro(), p.Version, id)
		if err != nil {
			return err
		}
		return enqueue(ctx, tx, messages)
	})
	return p, err
}

// Delete implements prospect.Store.
func (s *Store) Delete(ctx context.Context, id string, remove func(prospect.Prospect) ([]outbox.Message, error)) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		p, err := get(ctx, tx, id)
		if err != nil {
			return err
		}
		messages, err := remove(p)
		if err != nil {
			return err
		}
		if _, err = tx.ExecContext(ctx, `DELETE FROM prospects WHERE id = ?`, id); err != nil {
			return err
		}
		return enqueue(ctx, tx, messages)
	})
}

func get(ctx context.Context, tx *sql.Tx, id string) (prospect.Prospect, error) {
	p, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM prospects WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return p, fault.Missing(prospect.Resource, id)
	}
	return p, err
}

func (s *Store) query(ctx context.Context, text string, args ...any) ([]prospect.Prospect, error) {
	rows, err := s.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var all []prospect.Prospect
	for rows.Next() {
		p, err := scan(rows)
		if err != nil {
			return nil, sqlite.Fault(ctx, err)
		}
		all = append(all, p)
	}
	return all, sqlite.Fault(ctx, rows.Err())
}
