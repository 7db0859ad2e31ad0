//go:build linux

package process

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Complete runs a command to its end; its error tells what it printed.
func Complete(cmd *exec.Cmd) error {
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(text[max(0, len(text)-tail):]))
	}
	return nil
}
