package mysql

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"eventprospect/mesh/mysql"
	"eventprospect/services/event/internal/event"
)

// maxRows bounds how many rows one statement has: it must not be longer than the server takes (max_allowed_packet).
const maxRows = 500

// errKnown ends a transaction in which some messages turned out to be known; the server doesn't say which ones.
var errKnown = errors.New("some messages were applied already")

// Apply implements event.Store. A batch takes four round trips: begin, messages, events, commit. Fewer would need several
// statements in a request, which makes an injected statement possible, or a stored procedure, which hides the rule from this code.
// The server commits the transactions of several connections together, so that throughput doesn't suffer.
func (s *Store) Apply(ctx context.Context, told ...event.Told) (int, error) {
	told = event.InTurn(told)
	for {
		added, err := s.applyNew(ctx, told)
		if !errors.Is(err, errKnown) {
			return added, err
		}
		// Those that are known are committed, so that they are seen now and there are fewer left each time.
		if told, err = s.unknown(ctx, told); err != nil {
			return 0, err
		}
	}
}

// applyNew applies messages that all are new, or all known.
func (s *Store) applyNew(ctx context.Context, told []event.Told) (added int, err error) {
	err = mysql.Write(ctx, s.db, func(ctx context.Context, tx *sql.Tx) error {
		added = 0 // it may be tried again
		fresh, err := addMessages(ctx, tx, told)
		switch {
		case err != nil || fresh == 0:
			return err
		case fresh < len(told):
			return errKnown
		}
		if added, err = addEvents(ctx, tx, told); err != nil || added == len(told) {
			return err
		}
		return checkEvents(ctx, tx, told)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// Restore implements event.Store.
func (s *Store) Restore(ctx context.Context, told ...event.Told) (added int, err error) {
	told = event.InTurn(told)
	err = mysql.Write(ctx, s.db, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := addMessages(ctx, tx, told); err != nil {
			return err
		}
		added, err = addEvents(ctx, tx, told)
		return err
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// unknown gives those messages that aren't in the inbox.
func (s *Store) unknown(ctx context.Context, told []event.Told) ([]event.Told, error) {
	known := map[string]bool{}
	for part := range slices.Chunk(told, maxRows) {
		ids := make([]any, len(part))
		for i, t := range part {
			ids[i] = t.MessageID
		}
		err := mysql.Bounded(ctx, func(ctx context.Context) error {
			rows, err := s.db.QueryContext(ctx, `SELECT message_id FROM inbox WHERE message_id IN (`+repeat(`?`, len(ids))+`)`, ids...)
			if err != nil {
				return err
			}
			defer func() { _ = rows.Close() }() // rows.Err tells what matters
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				known[id] = true
			}
			return rows.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(told, func(t event.Told) bool { return known[t.MessageID] }), nil
}

// addMessages remembers messages, and tells how many of them are new.
func addMessages(ctx context.Context, tx *sql.Tx, told []event.Told) (int, error) {
	return add(ctx, tx, told, `INSERT INTO inbox (message_id, applied) VALUES `, `(?, ?)`, ` ON DUPLICATE KEY UPDATE message_id = message_id`,
		func(t event.Told) []any { return []any{t.MessageID, t.Created.UTC()} })
}

// addEvents adds events, and tells how many were added. Those that are there stay as they are.
func addEvents(ctx context.Context, tx *sql.Tx, told []event.Told) (int, error) {
	return add(ctx, tx, told, `INSERT INTO events (`+columns+`) VALUES `, row, ` ON DUPLICATE KEY UPDATE id = id`,
		func(t event.Told) []any { return values(t.Event) })
}

// checkEvents refuses events whose ids are taken by others; their own are there if their messages were forgotten. All are locked
// by this transaction, which was to add them.
func checkEvents(ctx context.Context, tx *sql.Tx, told []event.Told) error {
	byID := make(map[string]event.Told, len(told))
	for _, t := range told {
		byID[t.ID] = t
	}
	for part := range slices.Chunk(told, maxRows) {
		ids := make([]any, len(part))
		for i, t := range part {
			ids[i] = t.ID
		}
		rows, err := tx.QueryContext(ctx, `SELECT `+columns+` FROM events WHERE id IN (`+repeat(`?`, len(ids))+`)`, ids...)
		if err != nil {
			return err
		}
		there, err := collect(rows)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(there, func(e event.Event) bool { return !byID[e.ID].Became(e) }) {
			return event.AnyTaken(told)
		}
	}
	return nil
}

// add runs a statement with a row for each message, in parts, and tells how many rows it added.
func add(ctx context.Context, tx *sql.Tx, told []event.Told, begin, row, end string, values func(event.Told) []any) (int, error) {
	var added int64
	for part := range slices.Chunk(told, maxRows) {
		var args []any
		for _, t := range part {
			args = append(args, values(t)...)
		}
		result, err := tx.ExecContext(ctx, begin+repeat(row, len(part))+end, args...)
		if err != nil {
			return 0, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return 0, err
		}
		added += n
	}
	return int(added), nil
}
