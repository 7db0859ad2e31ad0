package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"eventprospect/e2e/client"
	"eventprospect/e2e/command"
)

// TestThereAreNoOtherPorts finds every port on which the system listens: those that TestEveryOpenPathIsDocumented walks, the
// issuer's and Kafka's.
func TestThereAreNoOtherPorts(t *testing.T) {
	t.Parallel()
	p := command.Start(t, command.Build(t), "-free", "-data", t.TempDir())
	known := []string{p.Kafka, p.Event, p.Prospect, p.Registry, hostOf(p.Gateway), hostOf(p.Issuer)}
	var admin int
	for _, number := range listening(t, p.PID()) {
		switch {
		case slices.ContainsFunc(known, func(address string) bool { return strings.HasSuffix(address, ":"+number) }):
		case isAdmin(t, number):
			admin++
		default:
			t.Errorf("somebody listens on port %s, and nobody says who", number)
		}
	}
	if admin != 4 {
		t.Errorf("%d admin ports, want 4", admin)
	}
}

// hostOf gives the host and port of a URL.
func hostOf(url string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	return host
}

// isAdmin tells whether a port is an admin port.
func isAdmin(t *testing.T, number string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort("localhost", number)+"/livez", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // the code is all that counts
	return answer.StatusCode == http.StatusOK
}

// listening gives the ports of TCP on which a process listens, each once (proc(5), /proc/pid/net/tcp).
func listening(t *testing.T, pid int) []string {
	t.Helper()
	own := socketsOf(t, pid)
	var ports []string
	for _, table := range []string{"tcp", "tcp6"} {
		file, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue // a machine without IPv6
		}
		defer func() { _ = file.Close() }()
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			const listen = "0A" // TCP_LISTEN
			if len(fields) < 10 || fields[3] != listen || !own[fields[9]] {
				continue
			}
			_, hex, _ := strings.Cut(fields[1], ":")
			number, err := strconv.ParseUint(hex, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			ports = append(ports, strconv.FormatUint(number, 10))
		}
	}
	slices.Sort(ports)
	if ports = slices.Compact(ports); len(ports) == 0 {
		t.Fatal("the process listens nowhere")
	}
	return ports
}

// socketsOf gives the inodes of a process's sockets.
func socketsOf(t *testing.T, pid int) map[string]bool {
	t.Helper()
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	inodes := map[string]bool{}
	for _, link := range open {
		target, err := os.Readlink(link)
		if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes
}
