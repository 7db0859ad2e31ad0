package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	address := newDatabase(b)
	s := opened(b, address)
	conn, err := pgx.Connect(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	storetest.Benchmark(b, s, func(ctx context.Context, e event.Event) error {
		_, err := conn.Exec(ctx,
			`INSERT INTO events (id, name, date_event, kind, prospect_id, created, updated, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			e.ID, e.Name, e.Date, string(e.Kind), e.ProspectID, e.Created, e.Updated, e.Version)
		return err
	})
}

func BenchmarkBatches(b *testing.B) { storetest.BenchmarkBatches(b, opened(b, newDatabase(b))) }

func BenchmarkForget(b *testing.B) { storetest.BenchmarkForget(b, opened(b, newDatabase(b))) }
