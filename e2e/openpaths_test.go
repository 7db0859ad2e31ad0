package e2e_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"eventprospect/dev/system"
)

const (
	securityDocument = "../docs/security.md"
	// never is what the table says of a path that no setting closes.
	never = "–"
)

// TestEveryOpenPathIsDocumented calls everything without a token, and compares what lets it in with the table of the document:
// once with the system as it is on a laptop, and once with all closed that can be.
func TestEveryOpenPathIsDocumented(t *testing.T) {
	t.Parallel()
	documented := readOpenPaths(t)
	for name, closed := range map[string]bool{"on a laptop": false, "closed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, system.Config{Closed: closed})
			found := w.walk(t)
			for path, closedBy := range documented {
				if want := !closed || closedBy == never; found[path] != want {
					t.Errorf("%s: open is %v, want %v", path, found[path], want)
				}
			}
			for path := range found {
				if _, known := documented[path]; !known {
					t.Errorf("%s is open, and not in the table", path)
				}
			}
		})
	}
}

// readOpenPaths reads the table: each path with its port, and what closes it.
func readOpenPaths(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(securityDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Open paths\n")
	section, _, _ = strings.Cut(section, "\n## ")
	quoted := regexp.MustCompile("`([^`]+)`")
	all := map[string]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.Contains(cells[2], "`") {
			continue
		}
		if strings.TrimSpace(cells[3]) == "" || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("no reason, or no way to close it: %s", line)
		}
		for _, port := range portsOf(strings.TrimSpace(cells[1])) {
			for _, path := range quoted.FindAllStringSubmatch(cells[2], -1) {
				key := port + " " + path[1]
				if _, twice := all[key]; twice {
					t.Errorf("%s is in the table twice", key)
				}
				all[key] = strings.TrimSpace(cells[4])
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("there is no table")
	}
	return all
}

// portsOf gives the ports that a cell names.
func portsOf(cell string) []string {
	if cell == "admin" {
		return []string{"gateway admin", "event admin", "prospect admin", "registry admin"}
	}
	return strings.Split(cell, ", ")
}

// port is one port of the system, and the routes of HTTP that it is known to serve, as patterns of http.ServeMux.
type port struct {
	name, address string
	routes        []string
}

// walk calls every method and every path of every port, those of other ports too, and gives what let it in.
func (w *world) walk(t *testing.T) map[string]bool {
	t.Helper()
	ports, methods := w.everyPort(t), everyMethod()
	paths := slices.Clone(usualPaths)
	for _, p := range ports {
		for _, route := range p.routes {
			_, path, _ := strings.Cut(route, " ")
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	open := map[string]bool{}
	var mu sync.Mutex
	var walking sync.WaitGroup
	for _, p := range ports {
		walking.Go(func() {
			found := append(p.openPaths(t, paths), p.openMethods(t, methods)...)
			mu.Lock()
			defer mu.Unlock()
			for _, path := range found {
				open[p.name+" "+path] = true
			}
		})
	}
	walking.Wait()
	t.Logf("%d ports, each with %d paths and %d methods of gRPC; open: %d", len(ports), len(paths), len(methods), len(open))
	t.Logf("open: %s", strings.Join(slices.Sorted(maps.Keys(open)), "\n"))
	return open
}
