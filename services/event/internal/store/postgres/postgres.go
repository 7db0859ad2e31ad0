// Package postgres keeps events in PostgreSQL, over pgx's own interface and pool.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/postgres"
	"eventprospect/services/event/internal/event"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an event.Store in one PostgreSQL database.
type Store struct{ pool *pgxpool.Pool }

// Open connects to the database of this URL (postgres://user:password@host:port/name) and brings its schema up to date.
func Open(ctx context.Context, url string) (*Store, error) {
	folder, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Open(ctx, url, folder)
	return &Store{pool}, err
}

// Close closes all connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }

const columns = `id, name, date_event, kind, prospect_id, created, updated, version`

func values(e event.Event) []any {
	return []any{e.ID, e.Name, e.Date, string(e.Kind), e.ProspectID, e.Created, e.Updated, e.Version}
}

func scan(row pgx.CollectableRow) (event.Event, error) {
	var e event.Event
	err := row.Scan(&e.ID, &e.Name, &e.Date, (*string)(&e.Kind), &e.ProspectID, &e.Created, &e.Updated, &e.Version)
	e.Created, e.Updated = e.Created.UTC(), e.Updated.UTC()
	return e, err
}

// Create implements event.Store.
func (s *Store) Create(ctx context.Context, e event.Event) error {
	return postgres.Bounded(ctx, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, `INSERT INTO events (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, values(e)...)
		if postgres.IsDuplicate(err) {
			return fault.Taken(event.Resource, e.ID).Because(err)
		}
		return err
	})
}

// Get implements event.Store.
func (s *Store) Get(ctx context.Context, ids ...string) ([]event.Event, error) {
	found, err := s.query(ctx, `SELECT `+columns+` FROM events WHERE id = ANY($1)`, slices.DeleteFunc(slices.Clone(ids), unknown))
	if err != nil {
		return nil, err
	}
	return event.InOrder(found, ids)
}

// unknown tells whether no row can hold this text: PostgreSQL has no U+0000 and refuses a query with one.
func unknown(text string) bool { return strings.Contains(text, "\x00") }

func matchesNothing(f event.Filter) bool {
	return unknown(f.ProspectID) || unknown(f.Date) || unknown(string(f.Kind))
}

// List implements event.Store.
func (s *Store) List(ctx context.Context, q event.Query) ([]event.Event, error) {
	if matchesNothing(q.Filter) {
		return nil, nil
	}
	text, args := listQuery(q)
	return s.query(ctx, text, args...)
}

func listQuery(q event.Query) (string, []any) {
	where := conditions(q.Filter)
	if q.After != (event.Place{}) {
		where.add(`(created, id) > ($%d, $%d)`, q.After.Created, q.After.ID)
	}
	text := `SELECT ` + columns + ` FROM events` + where.clause()
	n := len(where.args)
	return text + fmt.Sprintf(` ORDER BY created, id LIMIT $%d OFFSET $%d`, n+1, n+2), append(where.args, q.Limit, q.Offset)
}

// Count implements event.Store.
func (s *Store) Count(ctx context.Context, f event.Filter) (n int, err error) {
	if matchesNothing(f) {
		return 0, nil
	}
	where := conditions(f)
	err = postgres.Bounded(ctx, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, `SELECT count(*) FROM events`+where.clause(), where.args...).Scan(&n)
	})
	return n, err
}

// condition is what a WHERE clause says, with its arguments.
type condition struct {
	texts []string
	args  []any
}

// add adds a text in which each %d stands for the number of the next argument.
func (c *condition) add(text string, args ...any) {
	numbers := make([]any, len(args))
	for i := range args {
		numbers[i] = len(c.args) + i + 1
	}
	c.texts, c.args = append(c.texts, fmt.Sprintf(text, numbers...)), append(c.args, args...)
}

func (c *condition) clause() string {
	if len(c.texts) == 0 {
		return ""
	}
	return ` WHERE ` + strings.Join(c.texts, ` AND `)
}

// conditions repeat those of the partial indexes, without which PostgreSQL can't use them with a parameter.
func conditions(f event.Filter) *condition {
	c := &condition{}
	if f.ProspectID != "" {
		c.add(`prospect_id = $%d AND prospect_id <> ''`, f.ProspectID)
	}
	if f.Date != "" {
		c.add(`date_event = $%d AND date_event <> ''`, f.Date)
	}
	if f.Kind != "" {
		c.add(`kind = $%d`, string(f.Kind))
	}
	return c
}

// Update implements event.Store. The row is locked when it is read, so that changes of one event wait for each other.
func (s *Store) Update(ctx context.Context, id string, change func(*event.Event) error) (e event.Event, err error) {
	err = postgres.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		if e, err = lock(ctx, tx, id); err != nil {
			return err
		}
		if err := change(&e); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE events SET name = $2, date_event = $3, updated = $4, version = $5 WHERE id = $1`,
			id, e.Name, e.Date, e.Updated, e.Version)
		return err
	})
	return e, err
}

// Delete implements event.Store.
func (s *Store) Delete(ctx context.Context, id string, check func(event.Event) error) error {
	return postgres.Write(ctx, s.pool, func(ctx context.Context, tx pgx.Tx) error {
		e, err := lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := check(e); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM events WHERE id = $1`, id)
		return err
	})
}

func lock(ctx context.Context, tx pgx.Tx, id string) (event.Event, error) {
	if unknown(id) {
		return event.Event{}, fault.Missing(event.Resource, id)
	}
	rows, err := tx.Query(ctx, `SELECT `+columns+` FROM events WHERE id = $1 FOR UPDATE`, id)
	if err != nil {
		return event.Event{}, err
	}
	e, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, fault.Missing(event.Resource, id)
	}
	return e, err
}

func (s *Store) query(ctx context.Context, text string, args ...any) (found []event.Event, err error) {
	err = postgres.Bounded(ctx, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, text, args...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scan)
		return err
	})
	return found, err
}
