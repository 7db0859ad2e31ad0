package mesh

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the program with these arguments; its one command is `migrate`, and the process itself isn't expected.
func command(t *testing.T, migrate func(context.Context, Config) error, args ...string) error {
	t.Helper()
	bind := func(context.Context, *App, Config) error { t.Error("the process ran"); return nil }
	return execute(t.Context(), "thing", args, Config{Zone: "default"}, bind, []Command[Config]{{Name: "migrate", Run: migrate}})
}

func TestACommandIsRunWithTheConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "thing.yaml")
	if err := os.WriteFile(file, []byte("zone: east\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	trouble := errors.New("trouble")
	for zone, args := range map[string][]string{"default": {"migrate"}, "east": {"-config", file, "migrate"}} {
		got := ""
		err := command(t, func(_ context.Context, cfg Config) error { got = cfg.Zone; return trouble }, args...)
		if !errors.Is(err, trouble) || got != zone {
			t.Errorf("%q: error %v, zone %q; want %q", args, err, got, zone)
		}
	}
}

func TestAnArgumentThatIsNoCommandIsRefused(t *testing.T) {
	t.Parallel()
	migrate := func(context.Context, Config) error { t.Error("migrated"); return nil }
	for _, args := range [][]string{{"migrat"}, {"migrate", "now"}, {""}} {
		err := command(t, migrate, args...)
		if err == nil || !strings.Contains(err.Error(), "unexpected argument") || !strings.Contains(err.Error(), "-help") {
			t.Errorf("%q: error %v", args, err)
		}
	}
	if err := command(t, migrate, "-config", filepath.Join(t.TempDir(), "none.yaml"), "migrate"); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is missing: error %v", err)
	}
}

func TestHealthAsksTheProcess(t *testing.T) {
	t.Parallel()
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		writeJSON(w, code, map[string]string{"store": "not ready"})
	}))
	cfg := Config{Admin: server.Listener.Addr().String()}
	if err := askHealth(t.Context(), cfg); err != nil {
		t.Error(err)
	}
	code = http.StatusServiceUnavailable
	if err := askHealth(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), `"store":"not ready"`) {
		t.Errorf("error %v, want one that says what is not ready", err)
	}
	server.Close()
	if err := askHealth(t.Context(), cfg); err == nil {
		t.Error("nobody is ready")
	}
}

// A process whose admin port speaks TLS is asked by TLS; who it is isn't verified.
func TestHealthAsksByTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, nil) }))
	defer server.Close()
	cfg := Config{Admin: server.Listener.Addr().String()}
	cfg.TLS.Server.Admin = true
	if err := askHealth(t.Context(), cfg); err != nil {
		t.Error(err)
	}
}
