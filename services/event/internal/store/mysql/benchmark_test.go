package mysql

import (
	"context"
	"testing"

	"eventprospect/mesh/mysql"
	"eventprospect/services/event/internal/event"
	"eventprospect/services/event/internal/store/storetest"
)

func BenchmarkStore(b *testing.B) {
	address := newDatabase(b)
	s := opened(b, address)
	pool, err := mysql.Connect(address)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	conn, err := pool.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	storetest.Benchmark(b, s, func(ctx context.Context, e event.Event) error {
		_, err := conn.ExecContext(ctx,
			`INSERT INTO events (id, name, date_event, kind, prospect_id, created, updated, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			e.ID, e.Name, e.Date, string(e.Kind), e.ProspectID, e.Created, e.Updated, e.Version)
		return err
	})
}

func BenchmarkBatches(b *testing.B) { storetest.BenchmarkBatches(b, opened(b, newDatabase(b))) }

func BenchmarkForget(b *testing.B) { storetest.BenchmarkForget(b, opened(b, newDatabase(b))) }
