//go:build linux

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"eventprospect/e2e/process"
)

const (
	// readyPatience bounds how long a server may take to start, stopGrace how long to end.
	readyPatience = 2 * time.Minute
	stopGrace     = 10 * time.Second
)

// launch starts a server and waits until it takes connections at its address.
func (s *set) launch(ctx context.Context, name, address string, cmd *exec.Cmd) error {
	p, err := process.Start(name, filepath.Join(s.folder, name+".log"), cmd)
	if err != nil {
		return err
	}
	s.onStop(func() { p.End(stopGrace) })
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	return p.Await(ctx, process.Accepts(address))
}

// freeAddress finds a host and port of loopback on which nobody listens now, and gives the port by itself, too.
func freeAddress() (address, port string, err error) {
	if address, err = process.FreeAddress(); err != nil {
		return "", "", err
	}
	_, port, err = net.SplitHostPort(address)
	return address, port, err
}

func write(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }

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
