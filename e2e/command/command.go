// Package command runs the dev command as people do: built, started in a process of its own, read from its output.
package command

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"eventprospect/e2e/client"
)

// Build builds the dev command into a folder of the test, and returns the path of its executable.
func Build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dev")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "eventprospect/dev").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// Process is a dev command that runs.
type Process struct {
	// Client calls the system that it runs.
	*client.Client
	// Kafka is the broker's host and port.
	Kafka string
	// Temp is the only folder that it has for temporary files.
	Temp string

	cmd    *exec.Cmd
	stderr lockedText
	ended  chan struct{}
	err    error // of Wait, once ended is closed
}

// Start starts the executable, and returns when it says that it is ready. The process ends with the test.
func Start(t testing.TB, executable string, args ...string) *Process {
	t.Helper()
	return StartSecure(t, nil, executable, args...)
}

// StartSecure is Start for a system that speaks TLS; nil: plaintext.
func StartSecure(t testing.TB, secure *tls.Config, executable string, args ...string) *Process {
	t.Helper()
	p := &Process{Temp: t.TempDir(), cmd: exec.Command(executable, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "TMPDIR="+p.Temp)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan map[string]string, 1)
	go p.follow(out, said)
	t.Cleanup(p.Kill)
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	select {
	case at := <-said:
		p.Kafka = at["Kafka"]
		p.Client, err = client.New(client.Endpoints{
			Gateway: at["REST"], Issuer: at["Tokens"], Event: at["Event"], Prospect: at["Prospect"], Registry: at["Registry"], TLS: secure,
		})
	case <-p.ended:
		err = fmt.Errorf("ended with %w: %s", p.err, &p.stderr)
	case <-ctx.Done():
		err = errors.New("is not ready")
	}
	if err != nil {
		t.Fatalf("%s: %v", executable, err)
	}
	t.Cleanup(p.Close)
	return p
}

// Run runs the executable to its end, with this folder for temporary files, and returns its exit code and what it wrote
// to standard error.
func Run(t testing.TB, executable, temp string, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, executable, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var text strings.Builder
	cmd.Stderr = &text
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v does not end: %s", args, &text)
	}
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), text.String()
}

// address is a line of the greeting: what it is, and where.
var address = regexp.MustCompile(`^ +(REST|Event|Prospect|Registry|Kafka|Tokens) +(\S+)`)

// follow reads what the process says until it ends, and passes on the addresses when it has all.
func (p *Process) follow(out io.Reader, said chan<- map[string]string) {
	found := map[string]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		line := address.FindStringSubmatch(lines.Text())
		if line == nil || len(found) == 6 {
			continue
		}
		if found[line[1]] = line[2]; len(found) == 6 {
			said <- found
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process at once, with no chance to do anything more.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// Interrupt asks the process to stop, as Ctrl-C does.
func (p *Process) Interrupt() error { return p.cmd.Process.Signal(os.Interrupt) }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// ExitCode is that with which it ended.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Stderr is what it wrote to standard error.
func (p *Process) Stderr() string { return p.stderr.String() }

// lockedText is text that grows while it is read.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
