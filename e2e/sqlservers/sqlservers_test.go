//go:build linux

package sqlservers

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"eventprospect/e2e/process"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mysql"
)

// patience bounds how long a server may take to start or to stop; it has to recover first.
const patience = time.Minute

// TestWhatIsCommittedOutlivesEveryEnd ends each server in each of its ways, and starts it again.
func TestWhatIsCommittedOutlivesEveryEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		variable string // names one that somebody runs: then it can be run here, too
		make     func(ctx context.Context, folder string) (*Server, error)
		open     func(url string) (*sql.DB, error)
	}{
		"mariadb":    {"EVENTPROSPECT_TEST_MYSQL", MariaDB, mysql.Connect},
		"postgresql": {"EVENTPROSPECT_TEST_POSTGRES", PostgreSQL, func(url string) (*sql.DB, error) { return sql.Open("pgx", url) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meshtest.Database(t, c.variable)
			s, err := c.make(t.Context(), newFolder(t))
			if err != nil {
				t.Fatal(err)
			}
			db, err := c.open(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			p := mustStart(t, s, db)
			if _, err := db.Exec("CREATE TABLE ends (n int)"); err != nil {
				t.Fatal(err)
			}
			for n, way := range append(s.Stops, syscall.SIGKILL) {
				if _, err := db.Exec("INSERT INTO ends VALUES (1)"); err != nil {
					t.Fatal(err)
				}
				p.EndBy(way, patience)
				p = mustStart(t, s, db)
				var found int
				if err := db.QueryRow("SELECT count(*) FROM ends").Scan(&found); err != nil || found != n+1 {
					t.Errorf("after %v: %d rows, error %v, want %d", way, found, err, n+1)
				}
			}
			p.EndBy(s.Stops[0], patience)
		})
	}
}

// newFolder makes a folder that a server that is another user can reach, which one of the test is not.
func newFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "eventprospect-sqlservers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o711); err != nil {
		t.Fatal(err)
	}
	return folder
}

// mustStart starts a server and waits until it answers. What one that was killed leaves behind goes only when its children do: until
// then the next one ends at once.
func mustStart(t *testing.T, s *Server, db *sql.DB) *process.Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		p, err := process.Start(s.Name, filepath.Join(t.TempDir(), "log"), s.Command())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Kill)
		err = p.Await(ctx, db.PingContext)
		if err == nil {
			return p
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}
