//go:build linux

// Package process runs programs in processes of their own that can be killed, halted and looked at from outside.
package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// tail is how much of a log is shown, in bytes.
const tail = 4000

// Process is one that was started.
type Process struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// Start starts a program. What it writes is added to the file named log. It gets no Ctrl-C of the terminal, and ends when this
// process does, however that ends.
func Start(name, log string, cmd *exec.Cmd) (*Process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // the program has a handle of its own
	if cmd.Stdout == nil {
		cmd.Stdout = file
	}
	cmd.Stderr = file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &Process{name: name, cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	return p, nil
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process at once (SIGKILL), also one that is halted, and returns when it has ended.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// Halt stops the process from running (SIGSTOP) without its doing: its connections stay open, and nobody answers on them.
func (p *Process) Halt() error { return p.signal(syscall.SIGSTOP) }

// Resume lets a halted process run on.
func (p *Process) Resume() error { return p.signal(syscall.SIGCONT) }

// Stop asks the process to stop (SIGTERM) and waits until it has. If that takes longer than patience it is killed, and that is an
// error, as is an exit code other than 0.
func (p *Process) Stop(patience time.Duration) error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Kill()
		return fmt.Errorf("%s did not stop in %v: %s", p.name, patience, p.LastWords())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with code %d: %s", p.name, code, p.LastWords())
	}
	return nil
}

// End asks the process to stop, and kills it if that takes longer than patience. How it ends is not judged: a Java machine that is
// told to stop ends with code 143.
func (p *Process) End(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Kill()
	}
}

func (p *Process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%s: %v: %w: %s", p.name, s, err, p.LastWords())
	}
	return nil
}

// pollEvery is how often a condition is asked for.
const pollEvery = 5 * time.Millisecond

// Await waits until a check passes. It fails when the context ends before, or the process.
func (p *Process) Await(ctx context.Context, check func(context.Context) error) error {
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pollEvery):
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", p.name, p.LastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %s", p.name, err, p.LastWords())
		}
	}
}

// LastWords is the end of its log.
func (p *Process) LastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-tail):]))
}
