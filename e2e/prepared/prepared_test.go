//go:build linux

package prepared

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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
		path, err := Folder(t.Context(), "tool", files(c.content), prepare)
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
	if _, err := Folder(t.Context(), "tool", files("one"), func(string) error { return trouble }); !errors.Is(err, trouble) {
		t.Errorf("error is %v", err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "eventprospect", "tool-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestWhatAnotherMakesIsWaitedFor(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	var made atomic.Int32
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := Folder(t.Context(), "tool", files("one"), func(string) error { made.Add(1); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times, want once", made.Load())
	}
}
