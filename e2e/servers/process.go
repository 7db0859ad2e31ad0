//go:build linux

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"eventprospect/e2e/process"
	"eventprospect/mesh/meshtest/ports"
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
	if address, err = ports.Address(); err != nil {
		return "", "", err
	}
	_, port, err = net.SplitHostPort(address)
	return address, port, err
}

func write(path string, content []byte) error { return os.WriteFile(path, content, 0o600) }
