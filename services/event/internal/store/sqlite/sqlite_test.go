package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"eventprospect/services/event/internal/store/storetest"
)

func engine(t *testing.T) func() storetest.Store {
	path := filepath.Join(t.TempDir(), "event.db")
	return func() storetest.Store {
		s, err := Open(t.Context(), path)
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
		rows, err := s.Query(t.Context(), "EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		if got := strings.Join(plan, "; "); !strings.Contains(got, "USING INDEX") || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s", name, got)
		}
	}
}
