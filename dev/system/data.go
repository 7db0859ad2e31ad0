package system

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// openData makes the data folder and locks it: two systems on one folder would destroy each other's state.
func (s *System) openData() error {
	if s.cfg.Data == "" {
		return s.openTemporary()
	}
	s.Data = s.cfg.Data
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	lock := flock.New(filepath.Join(s.Data, "lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("data folder %s: %w", s.Data, err)
	}
	if !locked {
		return fmt.Errorf("data folder %s: another system runs on it: stop that one, or name another folder with -data", s.Data)
	}
	s.onStop(lock.Unlock)
	return nil
}

func (s *System) openTemporary() error {
	folder, err := os.MkdirTemp("", "eventprospect-")
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	s.Data = folder
	s.onStop(func() error { return os.RemoveAll(folder) })
	return nil
}
