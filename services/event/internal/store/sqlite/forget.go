package sqlite

import (
	"context"
	"database/sql"
	"time"
)

const forget = `DELETE FROM inbox WHERE message_id IN (SELECT message_id FROM inbox WHERE applied < ? ORDER BY applied LIMIT ?)`

// Forget implements event.Store.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := s.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, forget, before.UnixMicro(), limit)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(n), nil
}
