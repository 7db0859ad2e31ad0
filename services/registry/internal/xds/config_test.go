package xds_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/conf"
	"eventprospect/services/registry/internal/xds"
)

// process is how a process holds the configuration of the face.
type process struct {
	XDS xds.Config `koanf:"xds"`
}

func load(t *testing.T, text string) (xds.Config, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "registry.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := conf.Load(process{xds.Default()}, "REGISTRY", file, []string{"REGISTRY_XDS_POLICY_RETRIES=2"})
	return loaded.XDS, err
}

func TestThePolicyOfAServiceIsThatOfAllButForItsDifferences(t *testing.T) {
	t.Parallel()
	cfg, err := load(t, `
xds:
  retain: 1m
  policy:
    timeout: 10s
  policies:
    event:
      timeout: 0s
      retries: 0
      zone_priority: true
    some.thing:
      outlier: {failure_percent: 0}
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if cfg.Retain != time.Minute || cfg.Policy.Retries != 2 || cfg.Policy.Timeout != 10*time.Second || cfg.Policy.MaxRequests != 1024 {
		t.Errorf("the policy of all is %+v", cfg.Policy)
	}
	event, other := cfg.Policies["event"], cfg.Policies["some.thing"]
	if *event.Timeout != 0 || *event.Retries != 0 || !*event.ZonePriority || event.MaxRequests != nil || event.Outlier != nil {
		t.Errorf("the difference of event is %+v", event)
	}
	if other.Outlier == nil || other.Outlier.FailurePercent != 0 || other.Timeout != nil {
		t.Errorf("the difference of some.thing is %+v", other)
	}
}

func TestUnknownSettingsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := load(t, "xds: {policies: {event: {retires: 3}}}")
	if err == nil || !strings.Contains(err.Error(), "retires") {
		t.Errorf("error %v, want one that names the setting", err)
	}
}

func TestSettingsThatCannotWorkAreNamed(t *testing.T) {
	t.Parallel()
	if err := xds.Default().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	many, negative := 5, -time.Second
	for want, spoil := range map[string]func(*xds.Config){
		"address":                             func(c *xds.Config) { c.Address = "registry" },
		"max_streams":                         func(c *xds.Config) { c.MaxStreams = 0 },
		"retain":                              func(c *xds.Config) { c.Retain = -1 },
		"policy.retries":                      func(c *xds.Config) { c.Policy.Retries = -1 },
		"policy.max_requests":                 func(c *xds.Config) { c.Policy.MaxRequests = 0 },
		"policies.event.retries":              func(c *xds.Config) { c.Policies = map[string]xds.Override{"event": {Retries: &many}} },
		"policies.event.timeout":              func(c *xds.Config) { c.Policies = map[string]xds.Override{"event": {Timeout: &negative}} },
		`policies: "a b"`:                     func(c *xds.Config) { c.Policies = map[string]xds.Override{"a b": {}} },
		"policy.outlier.failure_percent":      func(c *xds.Config) { c.Policy.Outlier.FailurePercent = 101 },
		"policy.outlier.interval":             func(c *xds.Config) { c.Policy.Outlier.Interval = 0 },
		"policy.outlier.base_ejection":        func(c *xds.Config) { c.Policy.Outlier.BaseEjection = 0 },
		"policy.outlier.max_ejection:":        func(c *xds.Config) { c.Policy.Outlier.MaxEjection = time.Second },
		"policy.outlier.max_ejection_percent": func(c *xds.Config) { c.Policy.Outlier.MaxEjectionPercent = 0 },
		"policy.outlier.minimum_hosts":        func(c *xds.Config) { c.Policy.Outlier.MinimumHosts = 0 },
		"policy.outlier.requests":             func(c *xds.Config) { c.Policy.Outlier.Requests = 0 },
	} {
		cfg := xds.Default()
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that names %s", err, want)
		}
	}
}
