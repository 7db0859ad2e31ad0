//go:build linux

// Package fleet runs a mesh as processes: etcd, registries, instances of the Event service, a gateway, and the infrastructure
// that they need. Each can be killed and started again, on the same port and data.
package fleet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs is the folder of the programs that are run.
type Programs string

// sources are the programs' packages by the names of their files.
var sources = map[string]string{
	"dev":      "eventprospect/dev",
	"registry": "eventprospect/services/registry",
	"event":    "eventprospect/services/event",
	"prospect": "eventprospect/services/prospect",
	"gateway":  "eventprospect/gateway",
	"slow":     "eventprospect/e2e/chaos/internal/programs/slow",
	"etcd":     "eventprospect/e2e/chaos/internal/programs/etcd",
	"backend":  "eventprospect/e2e/chaos/internal/programs/backend",
}

// Build builds these programs into a folder.
func Build(ctx context.Context, folder string, names ...string) (Programs, error) {
	// Each gets the last part of its package's path for a name. Debuggers aren't used on them.
	args := []string{"build", "-ldflags=-w", "-o", folder + string(filepath.Separator)}
	for _, name := range names {
		args = append(args, sources[name])
	}
	if text, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %v: %w\n%s", names, err, text)
	}
	return Programs(folder), nil
}

// Command gives the command that runs a program with these settings in its environment, and nothing else of ours there.
func (p Programs) Command(name string, settings map[string]string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(string(p), name), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	for key, value := range settings {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	return cmd
}
