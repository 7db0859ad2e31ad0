package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestOpenMakesTheFileOfThisName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain.db", "with space.db", "q?mode=memory.db", "100%.db", "%41.db", "#1.db", "a&b=c.db", "é日本.db", "it's.db", "a:b.db", "a+b.db"} {
		path := filepath.Join(t.TempDir(), name)
		if err := insert(t.Context(), newDB(t, path), "a", "a"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if n := count(t, newDB(t, path)); n != 1 {
			t.Errorf("%s: %d rows when opened again", name, n)
		}
	}
}

func TestOpenRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"things.db", "a:b.db", "./dot.db", "#.db"} {
		newDB(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestOpenNamesWhatItCannotOpen(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	broken := filepath.Join(folder, "broken.db")
	if err := os.WriteFile(broken, []byte(strings.Repeat("this is no database ", 300)), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		path       string
		migrations fs.FS
	}{
		"broken file":      {broken, tables},
		"missing folder":   {filepath.Join(folder, "none", "things.db"), tables},
		"a file as folder": {filepath.Join(broken, "things.db"), tables},
		"a folder":         {folder, tables},
		"bad migration":    {filepath.Join(folder, "bad.db"), fstest.MapFS{"00001_bad.sql": {Data: []byte("-- +goose Up\nNONSENSE;")}}},
		"no migration":     {filepath.Join(folder, "empty.db"), fstest.MapFS{}},
	}
	for name, c := range cases {
		db, err := Open(t.Context(), c.path, c.migrations)
		if err == nil {
			_ = db.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: the error doesn't name the file: %v", name, err)
		}
	}
	if _, err := Open(t.Context(), "", tables); err == nil || !strings.Contains(err.Error(), "no file is named") {
		t.Errorf("no file: error %v", err)
	}
}

func TestOpenWithAnEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "things.db"), tables); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "newer.db")
	db, err := Open(t.Context(), path, tables)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, tables); err == nil || !strings.Contains(err.Error(), "run a newer program") {
		t.Errorf("error %v, want one that refuses the newer schema", err)
	}
}
