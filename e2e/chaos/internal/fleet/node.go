//go:build linux

package fleet

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"eventprospect/e2e/process"
)

const (
	// startPatience bounds how long a process may take to be ready, stopPatience how long to stop.
	startPatience = 30 * time.Second
	stopPatience  = 15 * time.Second
)

// Node is a process that can be started again. It is used by one goroutine at a time.
type Node struct {
	// Name says what it is, and which: "event 2".
	Name string
	// Address is the host and port where it serves.
	Address string

	log     string
	command func() *exec.Cmd
	ready   func(context.Context) error
	running *process.Process
	silent  bool // what it writes explains nothing
}

// node adds a process to the fleet, to be started.
func (f *Fleet) node(name, address string, ready func(context.Context) error, command func() *exec.Cmd) *Node {
	n := &Node{Name: name, Address: address, log: filepath.Join(f.Folder, name+".log"), command: command, ready: ready}
	f.nodes = append(f.nodes, n)
	return n
}

// Start starts the process and waits until it is ready.
func (n *Node) Start(ctx context.Context) error {
	if err := n.Launch(); err != nil {
		return err
	}
	return n.Await(ctx)
}

// Launch starts the process and doesn't wait.
func (n *Node) Launch() (err error) {
	n.running, err = process.Start(n.Name, n.log, n.command())
	return err
}

// Await waits until the process is ready.
func (n *Node) Await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	return n.running.Await(ctx, n.ready)
}

// Kill ends the process at once.
func (n *Node) Kill() {
	if n.running != nil {
		n.running.Kill()
	}
}

// Stop asks the process to stop, and waits until it has.
func (n *Node) Stop() error { return n.running.Stop(stopPatience) }

// End asks the process to stop by a signal, and returns when it has; one that doesn't in time is killed.
func (n *Node) End(s syscall.Signal) {
	if n.running != nil {
		n.running.EndBy(s, stopPatience)
	}
}

// Runs tells whether the process was started and has not ended.
func (n *Node) Runs() bool { return n.running != nil && !n.running.Ended() }

// Halt stops the process from running, Resume lets it run on.
func (n *Node) Halt() error { return n.running.Halt() }

// Resume lets a halted process run on.
func (n *Node) Resume() error { return n.running.Resume() }

// Usage is what the process uses.
func (n *Node) Usage() (process.Usage, error) { return n.running.Usage() }

// LastWords is the end of what it wrote, over all its lives.
func (n *Node) LastWords() string { return n.running.LastWords() }

// answersOK checks that a URL answers 200.
func answersOK(url string) func(context.Context) error {
	// No proxy of the environment, and no connection left behind.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close() // the code is all that counts
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return nil
	}
}
