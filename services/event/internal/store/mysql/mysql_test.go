package mysql

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mysql"
	"eventprospect/services/event/internal/store/storetest"
)

// newDatabase makes an empty database for the time of the test and gives its address.
func newDatabase(t testing.TB) string {
	server := meshtest.Database(t, "EVENTPROSPECT_TEST_MYSQL")
	name := meshtest.NewName()
	administer(t, server, "CREATE DATABASE "+name)
	t.Cleanup(func() { administer(t, server, "DROP DATABASE "+name) })
	return meshtest.WithName(t, server, name)
}

func administer(t testing.TB, server, statement string) {
	t.Helper()
	db, err := mysql.Connect(server)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(meshtest.Background(t), statement); err != nil {
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

func TestListUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := engine(t)().(*Store)
	defer s.Close()
	for name, query := range storetest.Queries() {
		text, args := listQuery(query)
		if key, extra := plan(t, s, text, args...); key == "" || key == "PRIMARY" || strings.Contains(extra, "filesort") {
			t.Errorf("%s: key %s, extra %s", name, key, extra)
		}
	}
}

func TestForgetUsesAnIndex(t *testing.T) {
	t.Parallel()
	s := opened(t, newDatabase(t))
	if key, extra := plan(t, s, forget, time.Now(), 1000); key != "inbox_by_applied" || strings.Contains(extra, "filesort") {
		t.Errorf("key %s, extra %s", key, extra)
	}
}

// plan tells how the server would run a statement: by which index, and what else it has to do.
func plan(t *testing.T, s *Store, text string, args ...any) (key, extra string) {
	t.Helper()
	var id, kind, table, access, possible, index, length, ref, rows, more sql.NullString
	err := s.db.QueryRowContext(t.Context(), "EXPLAIN "+text, args...).
		Scan(&id, &kind, &table, &access, &possible, &index, &length, &ref, &rows, &more)
	if err != nil {
		t.Fatal(err)
	}
	return index.String, more.String
}
