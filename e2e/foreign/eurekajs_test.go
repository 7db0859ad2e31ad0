package foreign_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"eventprospect/e2e/foreign/eurekajs"
)

// TestTheJavaScriptClientTakesTheRegistryForEureka runs a program with npm's eureka-js-client.
func TestTheJavaScriptClientTakesTheRegistryForEureka(t *testing.T) {
	t.Parallel()
	packages, r := prepared(t, "EVENTPROSPECT_TEST_EUREKA_JS"), newRegistry(t, lasting)
	leave := r.join(t, "event", "event-1", "127.0.0.1:8080")
	client := newNode(t, packages, r.address)

	client.say("start")
	client.await("registered")
	client.await("started")
	if found := r.mustHaveUp(t, "visitor", "visitor-1"); found.GetAddress() != "127.0.0.1:3000" || found.GetMetadata()["language"] != "JavaScript" {
		t.Errorf("registered as %v", found)
	}
	client.await("heartbeat")
	client.mustFind("EVENT", "UP")

	leave()
	client.mustFind("EVENT")
	r.join(t, "event", "event-2", "127.0.0.1:8081")
	client.mustFind("EVENT", "UP")

	r.restart(func() {})
	client.await("heartbeat")
	r.mustHaveUp(t, "visitor", "visitor-1")

	client.say("stop")
	client.await("deregistered")
	client.await("stopped")
	r.mustForget(t, "visitor", "visitor-1")
}

// node is the program as it runs.
type node struct {
	t     *testing.T
	in    io.Writer
	lines chan line
}

// line is one that the program writes.
type line struct {
	Event, Error string
	Instances    []struct {
		App, IPAddr, Status string
		Port                struct {
			Number  int    `json:"$"`
			Enabled string `json:"@enabled"`
		}
	}
}

func newNode(t *testing.T, packages, registry string) *node {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.js")
	if err := os.WriteFile(path, []byte(eurekajs.Program), 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(registry)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", path, host, port)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(packages, "node_modules"))
	n := &node{t: t, lines: make(chan line, 10_000)}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n.in = in
	out, written := io.Pipe()
	cmd.Stdout = written
	p := run(t, "node", cmd)
	go func() { <-p.ended; _ = written.Close() }()
	go n.read(out)
	return n
}

// read passes on what the program writes.
func (n *node) read(out io.Reader) {
	defer close(n.lines)
	for text := bufio.NewScanner(out); text.Scan(); {
		var l line
		if err := json.Unmarshal(text.Bytes(), &l); err != nil {
			l.Event, l.Error = text.Text(), err.Error()
		}
		n.lines <- l
	}
}

func (n *node) say(command string) {
	n.t.Helper()
	if _, err := fmt.Fprintln(n.in, command); err != nil {
		n.t.Fatal(err)
	}
}

// await gives the next line of an event, and passes over those of others.
func (n *node) await(event string) line {
	n.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case l, ok := <-n.lines:
			if !ok || l.Error != "" {
				n.t.Fatalf("instead of %q: %q %s", event, l.Event, l.Error)
			}
			if l.Event == event {
				return l
			}
		case <-timeout:
			n.t.Fatalf("never: %s", event)
		}
	}
}

// mustFind waits until the program finds instances with these states.
func (n *node) mustFind(app string, states ...string) {
	n.t.Helper()
	eventually(n.t, fmt.Sprintf("%s has instances that are %v", app, states), func() error {
		n.say("find " + app)
		found := n.await("found").Instances
		if len(found) != len(states) {
			return fmt.Errorf("it found %v", found)
		}
		for i, instance := range found {
			if instance.Status != states[i] || instance.App != app || instance.IPAddr != "127.0.0.1" || instance.Port.Enabled != "true" {
				return fmt.Errorf("it found %v", found)
			}
		}
		return nil
	})
}
