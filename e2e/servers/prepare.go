//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// prepared gives a folder of the user's cache that was made once of these files: of other files another folder is made. To have
// it made anew, remove it.
func prepared(name string, files fs.FS, prepare func(folder string) error) (string, error) {
	sum, err := sumOf(files)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "eventprospect")
	path := filepath.Join(cache, name+"-"+sum)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	// Nobody sees a folder that is half made.
	folder, err := os.MkdirTemp(cache, name+"-")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.CopyFS(folder, files), prepare(folder)); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	if err := os.Rename(folder, path); err != nil {
		if _, missing := os.Stat(path); missing != nil {
			return "", errors.Join(err, os.RemoveAll(folder))
		}
		return path, os.RemoveAll(folder) // another process was faster
	}
	return path, nil
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

// in makes a command that runs in a folder.
func in(ctx context.Context, folder, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = folder
	return cmd
}
