package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"eventprospect/e2e/client"
)

// meshctl is the operators' tool, built, with its settings for one system.
type meshctl struct {
	path    string
	environ []string
}

// newMeshctl builds the tool. Its settings come by the environment, as where it is installed.
func newMeshctl(t *testing.T, w *world, group string) meshctl {
	t.Helper()
	path := filepath.Join(t.TempDir(), "meshctl")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "eventprospect/meshctl").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return meshctl{path, append(os.Environ(),
		"MESHCTL_REGISTRY="+w.system.Registry,
		"MESHCTL_KAFKA_BROKERS="+w.system.Kafka, "MESHCTL_KAFKA_TOPIC="+w.topic, "MESHCTL_GROUP="+group,
		"MESHCTL_AUTH_ISSUER="+w.system.Issuer, "MESHCTL_AUTH_CLIENT_SECRET=meshctl",
	)}
}

// run runs a command line, which must end with this code, and returns what it wrote to standard output and to standard error.
func (m meshctl) run(t *testing.T, want int, args ...string) (stdout []byte, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*client.Patience)
	defer cancel()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, m.path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = m.environ, &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Fatalf("%v ended with %d, want %d: %s%s", args, code, want, &out, &said)
	}
	return out.Bytes(), said.String()
}

// ask runs a command line for machines, and reads its answer.
func (m meshctl) ask(t *testing.T, answer any, want int, args ...string) {
	t.Helper()
	out, _ := m.run(t, want, append([]string{"-o", "json"}, args...)...)
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatalf("%v: %v in %s", args, err, out)
	}
}
