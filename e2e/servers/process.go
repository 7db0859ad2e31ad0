//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// readyPatience bounds how long a server may take to start, stopGrace how long to end.
	readyPatience = 2 * time.Minute
	stopGrace     = 10 * time.Second
	tail          = 2000 // bytes of a log to show
)

// process is one running server.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	log   string
}

// launch starts a server and waits until it takes connections on its port.
func (s *set) launch(ctx context.Context, name string, port int, cmd *exec.Cmd) error {
	log, err := os.Create(filepath.Join(s.folder, name+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has a handle of its own
	cmd.Stdout, cmd.Stderr = log, log
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	// A server gets no Ctrl-C of the terminal: it is stopped by us. If we are killed, it ends, too.
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, ended: make(chan struct{}), log: log.Name()}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(p.ended)
	}()
	s.mu.Lock()
	s.running = append(s.running, p)
	s.mu.Unlock()
	return p.awaitPort(ctx, port)
}

func (p *process) awaitPort(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-p.ended:
			return fmt.Errorf("%s ended at start: %s", p.name, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer on port %d: %s", p.name, port, p.lastWords())
		}
	}
}

// stop ends the server, and kills it if it doesn't end.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
		return nil
	case <-time.After(stopGrace):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	<-p.ended
	return nil
}

func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-tail):]))
}

// as makes a command run as a user, and gives a folder to that user, if this is root: PostgreSQL refuses to be root.
func as(cmd *exec.Cmd, name, folder string) error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(folder, uid, gid)
}

// complete runs a command to its end; its error tells what it printed.
func complete(cmd *exec.Cmd) error {
	text, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(text[max(0, len(text)-tail):]))
	}
	return nil
}
