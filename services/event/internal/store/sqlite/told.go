package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/sqlite"
	"eventprospect/services/event/internal/event"
)

const insertMessage = `INSERT INTO inbox (message_id, applied) VALUES (?, ?) ON CONFLICT DO NOTHING`

// Apply implements event.Store.
func (s *Store) Apply(ctx context.Context, told ...event.Told) (int, error) {
	return s.each(ctx, told, insertEvent, func(tx *sql.Tx, message, e *sql.Stmt, t event.Told) (int64, error) {
		if fresh, err := exec(ctx, message, t.MessageID, t.Created.UnixMicro()); err != nil || fresh == 0 {
			return 0, err
		}
		added, err := exec(ctx, e, values(t.Event)...)
		if sqlite.IsDuplicate(err) {
			err = isThere(ctx, tx, t, err)
		}
		return added, err
	})
}

// isThere gives no error if the event of a message is there: the message was forgotten. It is Taken if another one has its id.
func isThere(ctx context.Context, tx *sql.Tx, t event.Told, duplicate error) error {
	e, err := get(ctx, tx, t.ID)
	if err == nil && !t.Became(e) {
		return fault.Taken(event.Resource, t.ID).Because(duplicate)
	}
	return err
}

// Restore implements event.Store.
func (s *Store) Restore(ctx context.Context, told ...event.Told) (int, error) {
	return s.each(ctx, told, insertEvent+` ON CONFLICT DO NOTHING`, func(_ *sql.Tx, message, e *sql.Stmt, t event.Told) (int64, error) {
		if _, err := exec(ctx, message, t.MessageID, t.Created.UnixMicro()); err != nil {
			return 0, err
		}
		return exec(ctx, e, values(t.Event)...)
	})
}

// each does something for each message in one transaction, with the statements that remember a message and add an event, and tells
// how many events were added. SQLite is in this process, so a statement for each row costs no round trip.
func (s *Store) each(
	ctx context.Context, told []event.Told, addEvent string, do func(tx *sql.Tx, message, e *sql.Stmt, t event.Told) (int64, error),
) (int, error) {
	var added int64
	err := s.Write(ctx, func(tx *sql.Tx) (err error) {
		message, err := tx.PrepareContext(ctx, insertMessage)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, message.Close()) }()
		e, err := tx.PrepareContext(ctx, addEvent)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.Close()) }()
		for _, t := range told {
			n, err := do(tx, message, e, t)
			if err != nil {
				return err
			}
			added += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return int(added), nil
}

// exec runs a statement and tells how many rows it added.
func exec(ctx context.Context, statement *sql.Stmt, args ...any) (int64, error) {
	result, err := statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
