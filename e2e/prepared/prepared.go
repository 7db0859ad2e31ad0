//go:build linux

// Package prepared makes foreign programs ready to run. Each is made once, by the ordinary client of its registry, and kept in the user's cache.
package prepared

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// lockPause is how often it is asked whether another process has made what it was making.
const lockPause = 50 * time.Millisecond

// Folder gives a folder of the user's cache that was made once of these files: of other files another folder is made. To have
// it made anew, remove it. Who wants what another process is making waits for it.
func Folder(ctx context.Context, name string, files fs.FS, prepare func(folder string) error) (string, error) {
	sum, err := sumOf(files)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "eventprospect")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(filepath.Join(cache, name+".lock"))
	if _, err := lock.TryLockContext(ctx, lockPause); err != nil {
		return "", fmt.Errorf("%s is being made ready elsewhere: %w", name, err)
	}
	path := filepath.Join(cache, name+"-"+sum)
	if _, err = os.Stat(path); err != nil {
		err = create(path, files, prepare)
	}
	return path, errors.Join(err, lock.Unlock())
}

// create makes the folder under another name first: nobody sees one that is half made.
func create(path string, files fs.FS, prepare func(folder string) error) error {
	folder, err := os.MkdirTemp(filepath.Dir(path), filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	if err := errors.Join(os.CopyFS(folder, files), prepare(folder)); err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	return os.Rename(folder, path)
}

// sumOf tells files apart by their names and content.
func sumOf(files fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		one := sha256.Sum256(content)
		_, _ = sum.Write(append([]byte(path), one[:]...)) // never fails
		return nil
	})
	return hex.EncodeToString(sum.Sum(nil))[:12], err
}

// Command makes a command that runs in a folder.
func Command(ctx context.Context, folder, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = folder
	return cmd
}
