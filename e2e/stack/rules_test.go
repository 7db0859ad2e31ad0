package stack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// TestCompose checks the compose file of the repository.
func TestCompose(t *testing.T) {
	t.Parallel()
	project, err := Load(t.Context(), filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range Broken(project) {
		t.Error(what)
	}
	for _, name := range []string{
		"event", "gateway", "kafka", "keycloak", "mongodb", "mysql", "postgres", "prospect", "registry", "zipkin",
	} {
		if _, ok := project.Services[name]; !ok {
			t.Errorf("no service %s", name)
		}
	}
}

// TestRulesBite plants violations in a file that breaks no rule: each rule must find its own, and no other may.
func TestRulesBite(t *testing.T) {
	t.Parallel()
	const healthy = `name: planted
services:
  own:
    build: .
    restart: unless-stopped
    read_only: true
    cap_drop: [ALL]
    security_opt: ['no-new-privileges:true']
    mem_limit: 64m
    healthcheck: {test: [CMD, /process, health]}
    depends_on:
      store: {condition: service_healthy}
  store:
    image: store.example/a/store:8.4
    restart: unless-stopped
    ports: ['127.0.0.1:1:1']
    healthcheck: {test: [CMD, ask]}
    volumes: ['kept:/data', './file:/file:ro']
volumes:
  kept:
`
	if got := plant(t, healthy); got != "" {
		t.Fatalf("before anything was planted: %s", got)
	}
	planted := []struct{ from, to, want string }{
		{"store:8.4", "store:latest", "an image is pinned to a version"},
		{"store:8.4", "store", "an image is pinned to a version"},
		{"store.example/a/store:8.4", "store.example:5000/a/store", "an image is pinned to a version"},
		{"store:8.4", "store@sha256:" + strings.Repeat("0", 64), ""},
		{"build: .", "build: .\n    image: own", "an image is pinned to a version"},
		{"127.0.0.1:1:1", "1:1", "a port is open to this machine alone"},
		{"127.0.0.1:1:1", "0.0.0.0:1:1", "a port is open to this machine alone"},
		{"ports: ['127.0.0.1:1:1']", "network_mode: host", "a port is open to this machine alone"},
		{"healthcheck: {test: [CMD, ask]}", "", "a service has a health check"},
		{"test: [CMD, ask]", "disable: true", "a service has a health check"},
		{"test: [CMD, ask]", "test: [NONE]", "a service has a health check"},
		{"service_healthy", "service_started", "a dependency is waited for until it is healthy"},
		{"service_healthy", "service_completed_successfully", ""},
		{"    depends_on:\n      store: {condition: service_healthy}", "    depends_on: [store]", "a dependency is waited for until it is healthy"},
		{"'kept:/data'", "'kept:/data', '/more'", "what is kept has a name, and what is mounted is there to be read"},
		{"'./file:/file:ro'", "'./file:/file'", "what is kept has a name, and what is mounted is there to be read"},
		{"./file:/file", "./lost:/file", "what is kept has a name, and what is mounted is there to be read"},
		{"restart: unless-stopped\n    ports", "ports", "a service comes back"},
		{"read_only: true", "", "a process of ours may do nothing but its work"},
		{"cap_drop: [ALL]", "", "a process of ours may do nothing but its work"},
		{"cap_drop: [ALL]", "cap_drop: [ALL]\n    cap_add: [NET_ADMIN]", "a process of ours may do nothing but its work"},
		{"security_opt: ['no-new-privileges:true']", "", "a process of ours may do nothing but its work"},
		{"mem_limit: 64m", "", "a process of ours may do nothing but its work"},
		{"  kept:\n", "  kept:\n  forgotten:\n", unusedVolume},
		{"volumes:\n  kept:\n", "", "does not load"},
		{"store: {condition", "lost: {condition", "does not load"},
		{"restart: unless-stopped\n    ports", "restrat: unless-stopped\n    ports", "does not load"},
	}
	bitten := map[string]bool{}
	for _, p := range planted {
		if !strings.Contains(healthy, p.from) {
			t.Fatalf("nothing to replace: %s", p.from)
		}
		got := plant(t, strings.Replace(healthy, p.from, p.to, 1))
		if got != p.want {
			t.Errorf("%q instead of %q: %q, want %q", p.to, p.from, got, p.want)
		}
		bitten[got] = true
	}
	for _, r := range rules {
		if !bitten[r.name] {
			t.Errorf("no planted violation of: %s", r.name)
		}
	}
}

// plant gives the names of the rules that a compose file breaks.
func plant(t *testing.T, text string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "compose.yaml")
	for name, content := range map[string]string{file: text, filepath.Join(folder, "file"): ""} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	project, err := Load(t.Context(), file)
	if err != nil {
		return "does not load"
	}
	var names []string
	for _, what := range Broken(project) {
		_, name, _ := strings.Cut(what, ": ")
		for _, r := range rules {
			if strings.HasPrefix(name, r.name) {
				name = r.name
			}
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}
