//go:build linux

package process

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

// run starts a shell script for the time of the test.
func run(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start("script", filepath.Join(t.TempDir(), "log"), exec.Command("sh", "-c", script))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// says waits until the process has written this.
func says(t *testing.T, p *Process, words string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := p.Await(ctx, func(context.Context) error {
		if strings.Contains(p.LastWords(), words) {
			return nil
		}
		return errors.New("silent")
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestStopWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	p := run(t, `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done`)
	says(t, p, "up")
	if err := p.Stop(patience); err != nil {
		t.Error(err)
	}
	says(t, p, "bye")
}

func TestStopTellsABadEnd(t *testing.T) {
	t.Parallel()
	p := run(t, `trap 'echo trouble; exit 3' TERM; echo up; while :; do sleep 0.01; done`)
	says(t, p, "up")
	if err := p.Stop(patience); err == nil || !strings.Contains(err.Error(), "code 3") || !strings.Contains(err.Error(), "trouble") {
		t.Errorf("error %v, want the code and the last words", err)
	}
	deaf := run(t, `trap '' TERM; echo up; while :; do sleep 0.01; done`)
	says(t, deaf, "up")
	if err := deaf.Stop(10 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not stop") {
		t.Errorf("error %v, want that it did not stop", err)
	}
}

func TestEndWaitsForTheEndOrMakesIt(t *testing.T) {
	t.Parallel()
	p := run(t, `trap 'echo bye; exit 143' TERM; echo up; while :; do sleep 0.01; done`)
	says(t, p, "up")
	p.End(patience)
	says(t, p, "bye")
	deaf := run(t, `trap '' TERM; echo up; while :; do sleep 0.01; done`)
	says(t, deaf, "up")
	deaf.End(10 * time.Millisecond)
	if err := deaf.Halt(); err == nil {
		t.Error("it still runs")
	}
}

func TestCompleteTellsWhatWentWrong(t *testing.T) {
	t.Parallel()
	if err := Complete(exec.Command("sh", "-c", "echo fine")); err != nil {
		t.Error(err)
	}
	if err := Complete(exec.Command("sh", "-c", "echo trouble; exit 3")); err == nil || !strings.Contains(err.Error(), "trouble") {
		t.Errorf("error %v, want what it printed", err)
	}
}

func TestAHaltedProcessStandsStillUntilItIsResumed(t *testing.T) {
	t.Parallel()
	p := run(t, `echo up; while :; do sleep 0.01; done`)
	says(t, p, "up")
	halted := func(want bool) {
		t.Helper()
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(pollEvery) {
			if stat, err := p.fields("stat"); err == nil && (stat[0] == "T") == want {
				return
			}
		}
		t.Fatalf("halted is not %v", want)
	}
	for range 2 {
		if err := p.Halt(); err != nil {
			t.Fatal(err)
		}
		halted(true)
		if err := p.Resume(); err != nil {
			t.Fatal(err)
		}
		halted(false)
	}
	if err := p.Halt(); err != nil {
		t.Fatal(err)
	}
	p.Kill() // a halted one, too
	if err := p.Halt(); err == nil {
		t.Error("a process that has ended is halted")
	}
}

func TestAwaitEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	p := run(t, `echo no port; exit 1`)
	err := p.Await(t.Context(), func(context.Context) error { return errors.New("not yet") })
	if err == nil || !strings.Contains(err.Error(), "no port") {
		t.Errorf("error %v, want the last words", err)
	}
}

func TestUsageOfAProcess(t *testing.T) {
	t.Parallel()
	p := run(t, `n=0; while [ $n -lt 200000 ]; do n=$((n+1)); done; echo up; while :; do sleep 1; done`)
	says(t, p, "up")
	u, err := p.Usage()
	if err != nil || u.Resident < int64(os.Getpagesize()) || u.CPU <= 0 {
		t.Errorf("usage %+v, error %v", u, err)
	}
}

func TestAcceptsTellsWhetherSomebodyListens(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepts := Accepts(listener.Addr().String())
	if err := accepts(t.Context()); err != nil {
		t.Error(err)
	}
	_ = listener.Close()
	if accepts(t.Context()) == nil {
		t.Error("it takes connections, and nobody listens")
	}
}
