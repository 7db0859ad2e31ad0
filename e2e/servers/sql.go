//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"eventprospect/e2e/process"
)

// startMariaDB starts MariaDB with durable commits, as in production.
func startMariaDB(ctx context.Context, s *set) (string, error) {
	const password = "test"
	data := filepath.Join(s.folder, "mariadb")
	if err := os.Mkdir(data, 0o700); err != nil {
		return "", err
	}
	make := exec.CommandContext(ctx, "mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	if err := as(make, "mysql", data); err != nil {
		return "", err
	}
	if err := process.Complete(make); err != nil {
		return "", err
	}
	// It runs once with these lines, as they are, before it takes connections.
	script := filepath.Join(data, "init.sql")
	lines := "CREATE USER 'test'@'%' IDENTIFIED BY '" + password + "';\nGRANT ALL ON *.* TO 'test'@'%';\n"
	if err := os.WriteFile(script, []byte(lines), 0o644); err != nil { //nolint:gosec // the server must read it
		return "", err
	}
	address, port, err := freeAddress()
	if err != nil {
		return "", err
	}
	server := exec.Command("mariadbd", "--no-defaults", "--datadir="+data, "--socket="+filepath.Join(data, "s"), "--init-file="+script,
		"--bind-address=127.0.0.1", "--port="+port, "--max-connections=500",
		"--innodb-flush-log-at-trx-commit=1", "--skip-name-resolve")
	if err := as(server, "mysql", data); err != nil {
		return "", err
	}
	return fmt.Sprintf("mysql://test:%s@%s/mysql", password, address), s.launch(ctx, "mariadb", address, server)
}

// startPostgres starts PostgreSQL with durable commits, as in production.
func startPostgres(ctx context.Context, s *set) (string, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return "", err
	}
	data := filepath.Join(s.folder, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		return "", err
	}
	make := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	if err := as(make, "postgres", data); err != nil {
		return "", err
	}
	if err := process.Complete(make); err != nil {
		return "", err
	}
	address, port, err := freeAddress()
	if err != nil {
		return "", err
	}
	server := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-p", port,
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=500")
	if err := as(server, "postgres", data); err != nil {
		return "", err
	}
	return fmt.Sprintf("postgres://postgres@%s/postgres", address), s.launch(ctx, "postgres", address, server)
}

// postgresPrograms finds the newest PostgreSQL: Debian keeps the server's programs outside the path.
func postgresPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		path, err := exec.LookPath("postgres")
		return filepath.Dir(path), err
	}
	return filepath.Dir(found[len(found)-1]), nil
}
