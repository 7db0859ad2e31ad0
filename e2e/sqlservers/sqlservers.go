//go:build linux

// Package sqlservers makes MariaDB and PostgreSQL ready to run, from the system's packages: in a folder, on a free port of loopback,
// with durable commits as in production. Whoever starts one can end it in any way and start it again.
package sqlservers

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"eventprospect/e2e/process"
)

// Server is a database server that can be started.
type Server struct {
	// Name is the program's.
	Name string
	// URL is its address with user, password and database, as the services take it.
	URL string
	// Address is its host and port.
	Address string
	// Stops are the signals by which it can be told to stop, the gentlest first; it waits for no client at any of them.
	Stops []syscall.Signal

	program string
	args    []string
	account *syscall.Credential
}

// Command gives the command that runs it.
func (s *Server) Command() *exec.Cmd {
	cmd := exec.Command(s.program, s.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return cmd
}

// Port is the port of its address.
func (s *Server) Port() (int, error) {
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// complete runs a command to its end as the user that the server will be.
func (s *Server) complete(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account}
	return process.Complete(cmd)
}

// furnish makes the folder of the server's data and, if this is root, gives it to the user that the server has to be: PostgreSQL
// refuses to be root. That user must be able to reach the folder.
func (s *Server) furnish(data, name string) error {
	if err := os.Mkdir(data, 0o700); err != nil || os.Getuid() != 0 {
		return err
	}
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(data, int(uid), int(gid))
}
