package postgres

import (
	"context"
	"time"

	"eventprospect/mesh/postgres"
)

// forget finds the rows once, and passes over those that another instance is forgetting.
const forget = `DELETE FROM inbox WHERE message_id = ANY (ARRAY (
    SELECT message_id FROM inbox WHERE applied < $1 ORDER BY applied LIMIT $2 FOR UPDATE SKIP LOCKED))`

// Forget implements event.Store.
func (s *Store) Forget(ctx context.Context, before time.Time, limit int) (n int, err error) {
	err = postgres.Bounded(ctx, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, forget, before, limit)
		n = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
