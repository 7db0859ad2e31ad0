//go:build linux

package sqlservers

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"

	"eventprospect/mesh/meshtest/ports"
)

// PostgreSQL makes a PostgreSQL with its data below a folder.
func PostgreSQL(ctx context.Context, folder string) (*Server, error) {
	programs, err := PostgreSQLPrograms()
	if err != nil {
		return nil, err
	}
	address, err := ports.Address()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "postgres")
	s := &Server{
		Name: "postgres", URL: "postgres://postgres@" + address + "/postgres", Address: address,
		Stops:   []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT}, // fast, and immediate: it recovers at the next start
		program: filepath.Join(programs, "postgres"),
	}
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	s.args = []string{
		"-D", data, "-p", fmt.Sprint(port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=500",
	}
	if err := s.furnish(data, "postgres"); err != nil {
		return nil, err
	}
	return s, s.complete(exec.CommandContext(ctx, filepath.Join(programs, "initdb"),
		"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"))
}

// PostgreSQLPrograms finds the folder of the newest PostgreSQL's programs: Debian keeps the server's outside the path.
func PostgreSQLPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath("postgres")
		return filepath.Dir(path), err
	}
	return filepath.Dir(found[len(found)-1]), nil
}
