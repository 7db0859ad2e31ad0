package mysql

import (
	"database/sql"
	"os"
	"strings"
	"testing"

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
	stores := make(chan *sql.DB, 5)
	for range cap(stores) {
		go func() {
			s, err := Open(t.Context(), address)
			if err != nil {
				t.Error(err)
			}
			stores <- s.db
		}()
	}
	var rows int
	for range cap(stores) {
		db := <-stores
		if db == nil {
			continue
		}
		defer db.Close()
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM goose_db_version WHERE version_id = 1`).Scan(&rows); err != nil || rows != 1 {
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

// TestAMigrationThatWasCutOffGoesOn: each statement of one commits by itself.
func TestAMigrationThatWasCutOffGoesOn(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("migrations/00001_events.sql")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), ";\n")
	address := newDatabase(t)
	administer(t, address, first)
	opened(t, address)
}

// TestAnIndexThatIsThereIsNotMadeAgain has the process end after it made the index, and before that was noted.
func TestAnIndexThatIsThereIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	opened(t, address)
	administer(t, address, "DELETE FROM goose_db_version WHERE version_id = 2")
	opened(t, address)
}

// TestAReadOnlyDatabaseIsUnavailable has the only session read alone: the whole server's setting is for all tests.
func TestAReadOnlyDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	s := opened(t, newDatabase(t))
	storetest.ReadOnly(t, s, func() storetest.Store {
		s.db.SetMaxOpenConns(1)
		if _, err := s.db.ExecContext(t.Context(), "SET SESSION TRANSACTION READ ONLY"); err != nil {
			t.Fatal(err)
		}
		return s
	})
}
