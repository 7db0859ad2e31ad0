package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"eventprospect/mesh/outbox"
	"eventprospect/mesh/sqlite"
)

// enqueue stores messages in the transaction of the change that they tell of.
func enqueue(ctx context.Context, tx *sql.Tx, messages []outbox.Message) error {
	for _, m := range messages {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO outbox (message_id, key, type, time, payload, trace) VALUES (?, ?, ?, ?, ?, ?)`,
			m.ID, m.Key, m.Type, m.Time.UnixMicro(), m.Payload, m.Trace)
		if err != nil {
			return err
		}
	}
	return nil
}

// release gives free what is claimed. One process at a time has the file open, so whoever claimed it before is gone.
func (s *Store) release(ctx context.Context) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET leased = 0 WHERE leased > 0`)
		return err
	})
}

// claim takes the oldest messages that nobody else holds, and of which nobody else holds an earlier one of the same key.
const claim = `
UPDATE outbox SET owner = :owner, leased = :until
WHERE position IN (
    SELECT position FROM outbox o
    WHERE (o.leased <= :now OR o.owner = :owner)
      AND NOT EXISTS (
          SELECT 1 FROM outbox earlier
          WHERE earlier.key = o.key AND earlier.position < o.position
            AND earlier.leased > :now AND earlier.owner <> :owner)
    ORDER BY position LIMIT :limit)
RETURNING position, message_id, key, type, time, payload, trace`

// Claim implements outbox.Queue.
func (s *Store) Claim(ctx context.Context, owner string, limit int, lease time.Duration) ([]outbox.Message, error) {
	if empty, err := s.isEmpty(ctx); empty || err != nil {
		return nil, err
	}
	var claimed []row
	err := s.Write(ctx, func(tx *sql.Tx) error {
		now := time.Now()
		rows, err := tx.QueryContext(ctx, claim,
			sql.Named("owner", owner), sql.Named("limit", limit),
			sql.Named("now", now.UnixMicro()), sql.Named("until", now.Add(lease).UnixMicro()))
		if err != nil {
			return err
		}
		claimed, err = scanClaimed(rows)
		return err
	})
	// RETURNING promises no order.
	slices.SortFunc(claimed, func(a, b row) int { return cmp.Compare(a.position, b.position) })
	messages := make([]outbox.Message, len(claimed))
	for i, r := range claimed {
		messages[i] = r.Message
	}
	return messages, err
}

// isEmpty spares the idle relay a write.
func (s *Store) isEmpty(ctx context.Context) (bool, error) {
	var some bool
	err := s.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM outbox)`).Scan(&some)
	return !some, sqlite.Fault(ctx, err)
}

// row is a message with its place in the order of all.
type row struct {
	outbox.Message
	position int64
}

func scanClaimed(rows *sql.Rows) ([]row, error) {
	defer func() { _ = rows.Close() }() // rows.Err tells what matters
	var all []row
	for rows.Next() {
		var c row
		var at int64
		if err := rows.Scan(&c.position, &c.ID, &c.Key, &c.Type, &at, &c.Payload, &c.Trace); err != nil {
			return nil, err
		}
		c.Time = time.UnixMicro(at).UTC()
		all = append(all, c)
	}
	return all, rows.Err()
}

// Renew implements outbox.Queue.
func (s *Store) Renew(ctx context.Context, owner string, held []outbox.Message, lease time.Duration) error {
	return s.each(ctx, `UPDATE outbox SET leased = ? WHERE owner = ? AND message_id IN `, held, time.Now().Add(lease).UnixMicro(), owner)
}

// Done implements outbox.Queue.
func (s *Store) Done(ctx context.Context, published []outbox.Message) error {
	return s.each(ctx, `DELETE FROM outbox WHERE message_id IN `, published)
}

// each runs one statement for all of these messages, whose ids come after its other arguments.
func (s *Store) each(ctx context.Context, statement string, messages []outbox.Message, args ...any) error {
	if len(messages) == 0 {
		return nil
	}
	for _, m := range messages {
		args = append(args, m.ID)
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(messages)), ", ")
	return s.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement+`(`+marks+`)`, args...)
		return err
	})
}

// Waiting implements outbox.Queue. It counts in an index, and takes the oldest by its place: what was stored first waits longest.
func (s *Store) Waiting(ctx context.Context) (outbox.Backlog, error) {
	var count int
	var oldest sql.NullInt64
	err := s.QueryRow(ctx, `SELECT count(*), (SELECT time FROM outbox ORDER BY position LIMIT 1) FROM outbox`).Scan(&count, &oldest)
	if err != nil || !oldest.Valid {
		return outbox.Backlog{}, sqlite.Fault(ctx, err)
	}
	return outbox.Backlog{Count: count, Oldest: time.UnixMicro(oldest.Int64).UTC()}, nil
}
