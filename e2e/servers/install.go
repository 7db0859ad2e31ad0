//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"eventprospect/e2e/process"
	"eventprospect/e2e/sqlservers"
)

// packages are those of Debian that carry what the servers need, by a program that shows that it is there.
var packages = map[string]string{
	"mariadbd": "mariadb-server",
	"postgres": "postgresql",
	"java":     "default-jdk-headless",
	"mvn":      "maven",
	"node":     "nodejs",
	"npm":      "npm",
	"pip3":     "python3-pip",
	"chromium": "chromium",
	"kcat":     "kcat",
}

// install installs what the servers need and is missing. That takes root; without it, the error tells what to ask for.
func install(ctx context.Context, chosen []server) error {
	var missing []string
	for _, s := range chosen {
		for _, program := range s.needs {
			if name := packages[program]; !present(program) && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Getuid() != 0 {
		return fmt.Errorf("these packages are missing: apt-get install %s", strings.Join(missing, " "))
	}
	fmt.Fprintln(os.Stderr, "servers: installing", strings.Join(missing, ", "))
	for _, args := range [][]string{
		{"apt-get", "update", "-qq"},
		slices.Concat([]string{"apt-get", "install", "-y", "-qq", "--no-install-recommends"}, missing),
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		// RUNLEVEL=1: the packages' own services stay off.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if err := process.Complete(cmd); err != nil {
			return err
		}
	}
	return nil
}

func present(program string) bool {
	if program == "postgres" {
		_, err := sqlservers.PostgreSQLPrograms()
		return err == nil
	}
	_, err := exec.LookPath(program)
	return err == nil
}
