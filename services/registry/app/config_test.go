package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/mtls"
	"eventprospect/services/registry/app"
	"eventprospect/services/registry/internal/xds"
)

func TestTheDefaultsAreValidAndJoinNobody(t *testing.T) {
	t.Parallel()
	cfg := app.Default()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "localhost:8761" || cfg.Registry != "" || cfg.Auth.ClientID != "" {
		t.Errorf("listens on %q, registry %q, client %q", cfg.Listen, cfg.Registry, cfg.Auth.ClientID)
	}
}

func TestConfigurationComesFromFileAndEnvironment(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "registry.yaml")
	if err := os.WriteFile(path, []byte("term: 30s\nmax_watchers: 7\nauth:\n  audience: other\nxds:\n  policies:\n    event: {retries: 1, timeout: 2s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"REGISTRY_LISTEN=localhost:1", "REGISTRY_GRACE=1s", "REGISTRY_MAX_WATCHERS=8"}
	cfg, err := conf.Load(app.Default(), "REGISTRY", path, environ)
	if err != nil {
		t.Fatal(err)
	}
	want := app.Default()
	retries, timeout := 1, 2*time.Second
	want.XDS.Policies = map[string]xds.Override{"event": {Retries: &retries, Timeout: &timeout}}
	want.Listen, want.Term, want.Grace, want.MaxWatchers, want.Auth.Audience = "localhost:1", 30*time.Second, time.Second, 8, "other"
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWhatCannotWorkIsNamed(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*app.Config){
		"listen":        func(c *app.Config) { c.Listen = "nowhere" },
		"registry":      func(c *app.Config) { c.Registry = "localhost:8761" },
		"term":          func(c *app.Config) { c.Term = time.Millisecond },
		"grace":         func(c *app.Config) { c.Grace = -1 },
		"max_instances": func(c *app.Config) { c.MaxInstances = 0 },
		"max_watchers":  func(c *app.Config) { c.MaxWatchers = 0 },
		"store_tls":     func(c *app.Config) { c.StoreTLS.Enabled = true },
		"store_tls.ca_file": func(c *app.Config) {
			c.Store, c.StoreTLS = "etcds://a", mtls.ClientConfig{Enabled: true, CAFile: "nowhere"}
		},
		"max_size":    func(c *app.Config) { c.MaxSize = 0 },
		"eureka.user": func(c *app.Config) { c.Eureka.User, c.Eureka.Password = "", "secret" },
		"xds.retain":  func(c *app.Config) { c.XDS.Retain = -1 },
	} {
		cfg := app.Default()
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := conf.Load(app.Default(), "REGISTRY", "", []string{"REGISTRY_TERMS=1s"}); err == nil {
		t.Error("an unknown setting was accepted")
	}
}
