package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/internal/store/storetest"
)

func opened(t testing.TB, address string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEachMigrationIsAppliedOnce(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	stores := make(chan *pgxpool.Pool, 5)
	for range cap(stores) {
		go func() {
			s, err := Open(t.Context(), address)
			if err != nil {
				t.Error(err)
			}
			stores <- s.pool
		}()
	}
	var rows int
	for range cap(stores) {
		pool := <-stores
		if pool == nil {
			continue
		}
		defer pool.Close()
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM goose_db_version WHERE version_id = 1`).Scan(&rows); err != nil || rows != 1 {
			t.Errorf("applied %d times, error %v", rows, err)
		}
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	opened(t, address)
	administer(t, address, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)")
	if _, err := Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("error %v, want one that tells of version 99", err)
	}
}

// TestAnIndexThatWasCutOffIsMadeAnew has the process end while it makes the index, which PostgreSQL leaves there, invalid.
func TestAnIndexThatWasCutOffIsMadeAnew(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	s := opened(t, address)
	administer(t, address, "DELETE FROM goose_db_version WHERE version_id = 2")
	administer(t, address, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'inbox_by_applied'::regclass")
	opened(t, address)
	var valid bool
	err := s.pool.QueryRow(t.Context(), `SELECT indisvalid FROM pg_index WHERE indexrelid = 'inbox_by_applied'::regclass`).Scan(&valid)
	if err != nil || !valid {
		t.Errorf("valid: %v, error %v", valid, err)
	}
}

func TestAReadOnlyDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	storetest.ReadOnly(t, opened(t, address), func() storetest.Store {
		name := address[strings.LastIndex(address, "/")+1:]
		administer(t, meshtest.Database(t, "EVENTPROSPECT_TEST_POSTGRES"), "ALTER DATABASE "+name+" SET default_transaction_read_only = on")
		return opened(t, address) // it isn't refused at the start: reading works
	})
}
