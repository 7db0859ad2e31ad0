//go:build linux

package propagation

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/process"
)

// backend is a process that can be found.
type backend struct {
	*process.Process
	address string
	in      io.WriteCloser
	out     *bufio.Scanner
}

func startBackend(f *fleet.Fleet, programs fleet.Programs) (*backend, error) {
	cmd := programs.Command("backend", nil)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b := &backend{in: in, out: bufio.NewScanner(out)}
	if b.Process, err = process.Start("backend", filepath.Join(f.Folder, "backend.log"), cmd); err != nil {
		return nil, err
	}
	if b.address, err = b.line(); err != nil {
		return nil, err
	}
	return b, nil
}

// register makes the backend known and tells when it began to.
func (b *backend) register(words string) (time.Time, error) {
	if _, err := fmt.Fprintln(b.in, words); err != nil {
		return time.Time{}, err
	}
	line, err := b.line()
	if err != nil {
		return time.Time{}, err
	}
	nanoseconds, err := strconv.ParseInt(line, 10, 64)
	return time.Unix(0, nanoseconds), err
}

// line is the next that the backend writes.
func (b *backend) line() (string, error) {
	if !b.out.Scan() {
		return "", fmt.Errorf("backend: nothing more is said: %s", b.LastWords())
	}
	return b.out.Text(), nil
}
