package mysql

import (
	"context"
	"time"

	"eventprospect/mesh/mysql"
)

// forget is in the order of the index, which ends with the primary key.
const forget = `DELETE FROM inbox WHERE applied < ? ORDER BY applied, message_id LIMIT ?`

// Forget implements event.Store.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (int, error) {
	var n int64
	err := mysql.Bounded(ctx, func(ctx context.Context) error {
		result, err := s.db.ExecContext(ctx, forget, before.UTC(), limit)
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
