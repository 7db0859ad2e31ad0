//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stopPatience bounds how long `down` waits.
const stopPatience = 30 * time.Second

// pidFile holds the process id of `servers up`.
func pidFile() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("eventprospect-servers-%d.pid", os.Getuid()))
}

func writePID() error {
	file, err := os.OpenFile(pidFile(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there: run `servers down` first, or remove it if nothing runs", pidFile())
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, os.Getpid())
	return errors.Join(err, file.Close())
}

// down asks the process that `servers up` is to stop, and waits until it has.
func down() error {
	text, err := os.ReadFile(pidFile())
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("no servers run")
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s: %w", pidFile(), err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return errors.Join(fmt.Errorf("process %d: %w", pid, err), os.Remove(pidFile()))
	}
	for end := time.Now().Add(stopPatience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(pidFile()); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return fmt.Errorf("process %d did not stop within %v", pid, stopPatience)
}
