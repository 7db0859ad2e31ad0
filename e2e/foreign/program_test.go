package foreign_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"eventprospect/mesh/meshtest"
)

// pollEvery is how often a condition is asked for.
const pollEvery = 20 * time.Millisecond

// prepared gives what a variable names: a program, or a folder, that `servers` has made ready. The test is skipped, and says
// so, if nobody did.
func prepared(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	switch {
	case path != "":
		return path
	case os.Getenv(meshtest.NoSkip) != "":
		t.Fatalf("%s is not set", variable)
	default:
		t.Skipf("%s is not set: run the test by `task test:real`", variable)
	}
	return ""
}

// program is one that runs in a process of its own.
type program struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// run starts a program, which ends with the test at the latest. What it says is shown if the test fails.
func run(t *testing.T, name string, cmd *exec.Cmd) *program {
	t.Helper()
	if cmd.Stdout == nil {
		cmd.Stdout = t.Output()
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	p := &program{name: name, cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill ends the program at once.
func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// stop asks the program to end, and waits until it has.
func (p *program) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not stop", p.name)
	}
}

// eventually waits until a check passes.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(pollEvery) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("never: %s: %v", what, err)
		}
	}
}

// contextWithCancel gives the context of calls with a token. It outlives the test's own, so that these end in order.
func contextWithCancel(t *testing.T, token string) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), sync.OnceFunc(cancel)
}
