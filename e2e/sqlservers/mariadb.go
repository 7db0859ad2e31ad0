//go:build linux

package sqlservers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"eventprospect/mesh/meshtest/ports"
)

// password is that of the one user of a MariaDB for tests.
const password = "test"

// MariaDB makes a MariaDB with its data below a folder.
func MariaDB(ctx context.Context, folder string) (*Server, error) {
	address, err := ports.Address()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "mariadb")
	s := &Server{
		Name: "mariadb", URL: "mysql://test:" + password + "@" + address + "/mysql", Address: address,
		Stops: []syscall.Signal{syscall.SIGTERM}, program: "mariadbd",
	}
	port, err := s.Port()
	if err != nil {
		return nil, err
	}
	script := filepath.Join(data, "init.sql")
	s.args = []string{
		"--no-defaults", "--datadir=" + data, "--socket=" + filepath.Join(data, "s"), "--init-file=" + script,
		"--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--max-connections=500",
		"--innodb-flush-log-at-trx-commit=1", "--skip-name-resolve",
	}
	if err := s.furnish(data, "mysql"); err != nil {
		return nil, err
	}
	if err := s.complete(exec.CommandContext(ctx, "mariadb-install-db",
		"--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")); err != nil {
		return nil, err
	}
	// It runs these lines, as they are, at each start before it takes connections.
	lines := "CREATE USER IF NOT EXISTS 'test'@'%' IDENTIFIED BY '" + password + "';\nGRANT ALL ON *.* TO 'test'@'%';\n"
	return s, os.WriteFile(script, []byte(lines), 0o644) //nolint:gosec // the server must read it
}
