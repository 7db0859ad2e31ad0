package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
)

// tick is the unit of CPU time in /proc (USER_HZ, which Linux fixes at 100 for programs).
const tick = time.Second / 100

// spent reads the CPU time of processes, by names of ours.
type spent map[string]int

// add takes in the process that listens on this address. One that can't be seen, on another machine or of another user, is left out.
func (s spent) add(name, address string) {
	if pid, err := listening(address); err == nil {
		s[name] = pid
	}
}

// read gives the time that each process has run, with all below it, also those that have ended: PostgreSQL has a process for each
// connection.
func (s spent) read(b *testing.B) map[string]time.Duration {
	b.Helper()
	all, err := procfs.AllProcs()
	if err != nil {
		b.Fatal(err)
	}
	one, below := map[int]procfs.ProcStat{}, map[int][]procfs.ProcStat{}
	for _, p := range all {
		if stat, err := p.Stat(); err == nil { // else it has ended meanwhile
			one[stat.PID] = stat
			below[stat.PPID] = append(below[stat.PPID], stat)
		}
	}
	read := map[string]time.Duration{}
	for name, pid := range s {
		read[name] = withBelow(one[pid], below)
	}
	return read
}

// withBelow adds up the time of a process, of those below it, and of those that were.
func withBelow(p procfs.ProcStat, below map[int][]procfs.ProcStat) time.Duration {
	sum := time.Duration(p.UTime+p.STime)*tick + time.Duration(p.CUTime+p.CSTime)*tick
	for _, child := range below[p.PID] {
		sum += withBelow(child, below)
	}
	return sum
}

// listening finds the process that listens on an address of this machine.
func listening(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, err
	}
	socket, err := socketOf(port)
	if err != nil {
		return 0, err
	}
	all, err := procfs.AllProcs()
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		// Those of others can't be read.
		if files, err := p.FileDescriptorTargets(); err == nil && slices.Contains(files, socket) {
			return p.PID, nil
		}
	}
	return 0, errors.New("nobody that can be seen listens on " + address)
}

// socketOf gives the name by which a process has the socket open that listens on a port (proc_pid_net(5): tcp).
func socketOf(port uint64) (string, error) {
	const listens = "0A" // TCP_LISTEN of Linux
	suffix := fmt.Sprintf(":%04X", port)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && strings.HasSuffix(f[1], suffix) && f[3] == listens {
				return "socket:[" + f[9] + "]", nil
			}
		}
	}
	return "", fmt.Errorf("nobody listens on port %d", port)
}
