//go:build linux

package delivery

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// TestTheDatabasesAreRead reads a file as the services make it, in a folder with a name that a URL would misread.
func TestTheDatabasesAreRead(t *testing.T) {
	t.Parallel()
	d := database{"sqlite", filepath.Join(t.TempDir(), "event 1?#.db")}
	db, err := sql.Open("sqlite", "file:"+escaped(d.at))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`CREATE TABLE prospects (id TEXT, version INTEGER)`,
		`INSERT INTO prospects VALUES ('a', 1), ('b', 3)`,
		`CREATE TABLE outbox (position INTEGER)`,
		`INSERT INTO outbox VALUES (1)`,
		`CREATE TABLE events (prospect_id TEXT, kind TEXT, created INTEGER)`,
		`INSERT INTO events VALUES ('a', 'PROSPECT_CREATED', 5), ('b', 'PROSPECT_CREATED', 5), ('b', 'PROSPECT_UPDATED', 4), ('b', 'PROSPECT_UPDATED', 5),
			('b', 'PROSPECT_DELETED', 6), ('', 'PLANNED', 1)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	versions, err := (sqliteStore{d}).versions(t.Context())
	if err != nil || len(versions) != 2 || versions["b"] != 3 {
		t.Errorf("versions %v, error %v", versions, err)
	}
	if n, err := (sqliteStore{d}).waiting(t.Context()); err != nil || n != 1 {
		t.Errorf("%d messages wait, error %v, want 1", n, err)
	}
	histories, err := storedHistories(t.Context(), d)
	if err != nil || len(histories) != 2 || histories["b"] != (history{created: 1, updated: 2, other: 1}) {
		t.Errorf("histories %v, error %v", histories, err)
	}
	if n, err := d.number(t.Context(), backwards); err != nil || n != 1 {
		t.Errorf("%d changes are there before their creation, error %v, want 1", n, err)
	}
}
