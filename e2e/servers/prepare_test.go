//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func files(content string) fstest.MapFS { return fstest.MapFS{"pins": {Data: []byte(content)}} }

func TestWhatIsPreparedIsKeptUntilItsFilesChange(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	made := 0
	prepare := func(folder string) error {
		made++
		content, err := os.ReadFile(filepath.Join(folder, "pins"))
		return errors.Join(err, os.WriteFile(filepath.Join(folder, "made"), content, 0o600))
	}
	for i, c := range []struct {
		content string
		made    int
	}{{"one", 1}, {"one", 1}, {"two", 2}, {"one", 2}} {
		path, err := prepared("tool", files(c.content), prepare)
		if err != nil {
			t.Fatal(err)
		}
		if content, err := os.ReadFile(filepath.Join(path, "made")); err != nil || string(content) != c.content || made != c.made {
			t.Errorf("step %d: %q after it was made %d times, error %v", i, content, made, err)
		}
	}
}

func TestWhatCannotBePreparedLeavesNothing(t *testing.T) {
	cache, trouble := t.TempDir(), errors.New("no network")
	t.Setenv("XDG_CACHE_HOME", cache)
	if _, err := prepared("tool", files("one"), func(string) error { return trouble }); !errors.Is(err, trouble) {
		t.Errorf("error is %v", err)
	}
	left, err := os.ReadDir(filepath.Join(cache, "eventprospect"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestEveryServerNamesPackagesThatAreKnown(t *testing.T) {
	for _, s := range servers {
		for _, program := range s.needs {
			if packages[program] == "" {
				t.Errorf("%s: no package is known for %s", s.name, program)
			}
		}
	}
}
