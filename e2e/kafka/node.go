//go:build linux

package kafka

import (
	"context"
	"os/exec"
	"path/filepath"

	"eventprospect/e2e/process"
)

// tries is how often a process is started that ends by itself: its port may be somebody else's for a moment, and ZooKeeper takes
// seconds to forget a broker that was killed.
const tries = 5

// node is a process of the cluster.
type node struct {
	name, folder string
	command      func() *exec.Cmd
	ready        func(context.Context) error
	running      *process.Process // nil before the first start
}

// start starts the process and returns when it is ready; one that isn't in time is killed.
func (n *node) start(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for range tries {
		if n.running, err = process.Start(n.name, n.log(), n.command()); err != nil {
			return err
		}
		if err = n.running.Await(ctx, n.ready); err == nil {
			return nil
		}
		n.kill()
		if ctx.Err() != nil {
			break
		}
	}
	return err
}

func (n *node) kill() {
	if n.running != nil {
		n.running.Kill()
	}
}

func (n *node) log() string { return filepath.Join(n.folder, n.name+".log") }

func (n *node) lastWords() string {
	if n.running == nil {
		return ""
	}
	return n.running.LastWords()
}

// java gives the command that runs a class. It is quick to start and small, and keeps nothing outside its folder.
func java(ctx context.Context, folder, classes, heap string, args ...string) *exec.Cmd {
	machine := []string{
		"-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError",
		"-Djava.io.tmpdir=" + folder, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", classes,
	}
	cmd := exec.CommandContext(ctx, "java", append(machine, args...)...)
	cmd.Dir = folder
	return cmd
}
