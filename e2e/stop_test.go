package e2e_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"eventprospect/dev/stack"
	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	"eventprospect/e2e/command"
)

// stopWithin is how long Ctrl-C may take.
const stopWithin = 5 * time.Second

// TestInterruptStopsGracefully starts the command on temporary data and presses Ctrl-C.
func TestInterruptStopsGracefully(t *testing.T) {
	t.Parallel()
	p := command.Start(t, command.Build(t), "-free", "-data", "")
	if _, err := create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if err := p.Interrupt(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.Ended():
	case <-time.After(stopWithin):
		t.Fatalf("still running %v after Ctrl-C", stopWithin)
	}
	if p.ExitCode() != 0 {
		t.Errorf("exit code %d: %s", p.ExitCode(), p.Stderr())
	}
	mustBeEmpty(t, p.Temp)
	t.Logf("stopped in %v", time.Since(begin).Round(time.Millisecond))
}

// TestWhatIsAcknowledgedOutlivesAStop starts the command again on the same data, after Ctrl-C.
func TestWhatIsAcknowledgedOutlivesAStop(t *testing.T) {
	t.Parallel()
	executable, data := command.Build(t), t.TempDir()
	p := command.Start(t, executable, "-free", "-data", data)
	id, err := create(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Interrupt(); err != nil {
		t.Fatal(err)
	}
	<-p.Ended()
	again := command.Start(t, executable, "-free", "-data", data)
	mustExist(t, again, []string{id})
	mustHaveOneEventEach(t, again, client.Patience, []string{id})
}

// TestAFailedStartSaysWhy holds that the command ends with code 1 and one line that names what is wrong, and that nothing is left
// behind.
func TestAFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	executable := command.Build(t)
	for name, prepare := range map[string]func(t *testing.T) (args []string, says string){
		"data folder in use": func(t *testing.T) ([]string, string) {
			data := t.TempDir()
			command.Start(t, executable, "-free", "-data", data)
			return []string{"-data", data}, data
		},
		"data folder below a file": func(t *testing.T) ([]string, string) {
			file := write(t, "file", "text")
			return []string{"-data", filepath.Join(file, "data")}, file
		},
		"broken event database": func(t *testing.T) ([]string, string) {
			data := t.TempDir()
			return []string{"-data", data}, spoil(t, filepath.Join(data, "event", "event.db"))
		},
		"broken prospect database": func(t *testing.T) ([]string, string) {
			data := t.TempDir()
			return []string{"-data", data}, spoil(t, filepath.Join(data, "prospect", "prospect.db"))
		},
		"realm file missing": func(t *testing.T) ([]string, string) {
			realm := filepath.Join(t.TempDir(), "realm.json")
			return []string{"-data", "", "-realm", realm}, realm
		},
		"realm file no JSON": func(t *testing.T) ([]string, string) {
			realm := write(t, "realm.json", `{"realm": "EventProspect",`)
			return []string{"-data", "", "-realm", realm}, realm
		},
		"issuer is no URL": func(*testing.T) ([]string, string) {
			return []string{"-data", "", "-issuer", "localhost:8180"}, `"localhost:8180"`
		},
		"broker without a port": func(*testing.T) ([]string, string) {
			return []string{"-data", "", "-kafka", "localhost:9092,localhost"}, `"localhost"`
		},
		"issuer of somebody else and a realm file": func(t *testing.T) ([]string, string) {
			realm := write(t, "realm.json", string(stack.Realm))
			return []string{"-data", "", "-issuer", "http://localhost:8180/realms/EventProspect", "-realm", realm}, "-realm"
		},
		"realm file of something else": func(t *testing.T) ([]string, string) {
			realm := write(t, "realm.json", `{"realm": "a/b", "enabled": true}`)
			return []string{"-data", "", "-realm", realm}, realm
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args, says := prepare(t)
			temp := t.TempDir()
			code, stderr := command.Run(t, executable, temp, append([]string{"-free"}, args...)...)
			if code != 1 || strings.Count(strings.TrimSpace(stderr), "\n") > 0 || !strings.Contains(stderr, says) {
				t.Errorf("exit code %d, want 1 and one line that names %s:\n%s", code, says, stderr)
			}
			mustBeEmpty(t, temp)
		})
	}
}

// TestABusyPortIsNamed starts a system one of whose ports is taken, each in turn.
func TestABusyPortIsNamed(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*system.Ports, int){
		"gateway":      func(p *system.Ports, port int) { p.Gateway = port },
		"event":        func(p *system.Ports, port int) { p.Event = port },
		"prospect":     func(p *system.Ports, port int) { p.Prospect = port },
		"registry":     func(p *system.Ports, port int) { p.Registry = port },
		"Kafka":        func(p *system.Ports, port int) { p.Kafka = port },
		"token issuer": func(p *system.Ports, port int) { p.Issuer = port },
		"event admin":  func(p *system.Ports, port int) { p.EventAdmin = port },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			taken, free := listen(t), listen(t)
			port, first := portOf(taken), portOf(free)
			_ = free.Close()
			cfg := system.Config{Realm: stack.Realm, Log: t.Output(), Data: t.TempDir(), Ports: system.Ports{GatewayAdmin: first}}
			set(&cfg.Ports, port)
			_, err := system.Start(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), strconv.Itoa(port)) || !strings.Contains(err.Error(), name) {
				t.Fatalf("the error doesn't name %s and %d: %v", name, port, err)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("the error has several lines: %v", err)
			}
			mustBeFree(t, first)
			mustStart(t, cfg.Data)
		})
	}
}

// mustStart starts a system on data that another one left.
func mustStart(t *testing.T, data string) {
	t.Helper()
	s, err := system.Start(t.Context(), system.Config{Realm: stack.Realm, Log: t.Output(), Data: data})
	if err != nil {
		t.Fatalf("what failed before left something behind: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func mustBeFree(t *testing.T, port int) {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort("localhost", strconv.Itoa(port)))
	if err != nil {
		t.Errorf("a port is still open: %v", err)
		return
	}
	_ = listener.Close()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func portOf(listener net.Listener) int { return listener.Addr().(*net.TCPAddr).Port }

// write makes a file with this text, and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	return spoilWith(t, filepath.Join(t.TempDir(), name), text)
}

// spoil makes a file that holds nothing of use.
func spoil(t *testing.T, path string) string {
	t.Helper()
	return spoilWith(t, path, strings.Repeat("this is no database. ", 1000))
}

func spoilWith(t *testing.T, path, text string) string {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustBeEmpty(t *testing.T, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind in the folder for temporary files: %v %v", left, err)
	}
}
