//go:build linux

package process

import (
	"syscall"
	"time"
)

// EndBy is End with another signal than SIGTERM: some programs are told by it how to stop.
func (p *Process) EndBy(s syscall.Signal, patience time.Duration) {
	_ = p.cmd.Process.Signal(s) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Kill()
	}
}

// Ended tells whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
