package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/internal/store/storetest"
)

// newDatabase makes an empty database for the time of the test and gives its address.
func newDatabase(t testing.TB) string {
	server := meshtest.Database(t, "EVENTPROSPECT_TEST_POSTGRES")
	name := meshtest.NewName()
	administer(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { administer(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	return meshtest.WithName(t, server, name)
}

func administer(t testing.TB, server, statement string) {
	t.Helper()
	ctx := meshtest.Background(t)
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func engine(t *testing.T) func() storetest.Store {
	address := newDatabase(t)
	return func() storetest.Store {
		s, err := Open(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, engine)
}

// TestListUsesAnIndex forbids to read the whole table, which is the best plan for the few rows of a test.
func TestListUsesAnIndex(t *testing.T) {
	t.Parallel()
	address := newDatabase(t)
	s, err := Open(t.Context(), address+"?enable_seqscan=off&enable_bitmapscan=off")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, query := range storetest.Queries() {
		text, args := listQuery(query)
		if plan := plan(t, s, text, args...); !strings.Contains(plan, "Index Scan") || strings.Contains(plan, "Sort") {
			t.Errorf("%s:\n%s", name, plan)
		}
	}
}

func TestForgetUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := opened(t, newDatabase(t)+"?enable_seqscan=off&enable_bitmapscan=off")
	if plan := plan(t, s, forget, time.Now(), 1000); !strings.Contains(plan, "Index Scan using inbox_by_applied") ||
		!strings.Contains(plan, "Index Scan using inbox_pkey") || strings.Contains(plan, "Sort") {
		t.Error(plan)
	}
}

// plan tells how PostgreSQL would run a statement.
func plan(t *testing.T, s *Store, text string, args ...any) string {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
