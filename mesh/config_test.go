package mesh_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh"
	"eventprospect/mesh/conf"
)

func goodConfig() mesh.Config {
	cfg := mesh.Defaults("8080", "18080", "event")
	cfg.Auth.ClientSecret = "s3cr3t"
	return cfg
}

func TestConfigNamesEverySettingThatCannotWork(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*mesh.Config)
		names  []string
	}{
		"the defaults":    {func(*mesh.Config) {}, nil},
		"no registry":     {func(c *mesh.Config) { c.Registry = "" }, nil},
		"two registries":  {func(c *mesh.Config) { c.Registry = "a:8761, b:8761" }, nil},
		"listen":          {func(c *mesh.Config) { c.Listen = "8080" }, []string{"listen"}},
		"admin":           {func(c *mesh.Config) { c.Admin = "" }, []string{"admin"}},
		"advertise":       {func(c *mesh.Config) { c.Advertise = "event" }, []string{"advertise"}},
		"registry":        {func(c *mesh.Config) { c.Registry = "registry" }, []string{"registry"}},
		"a bad registry":  {func(c *mesh.Config) { c.Registry = "a:8761,b" }, []string{"registry"}},
		"calls":           {func(c *mesh.Config) { c.Calls.Attempts, c.Calls.Timeout = 9, 0 }, []string{"calls.timeout", "calls.attempts"}},
		"tls of servers":  {func(c *mesh.Config) { c.TLS.Server.KeyFile = "x" }, []string{"tls.server.key_file"}},
		"tls of clients":  {func(c *mesh.Config) { c.TLS.Client.Enabled, c.TLS.Client.KeyFile = true, "x" }, []string{"tls.client.cert_file"}},
		"drain":           {func(c *mesh.Config) { c.Drain = -1 }, []string{"drain"}},
		"stop":            {func(c *mesh.Config) { c.Stop = time.Hour }, []string{"stop"}},
		"auth":            {func(c *mesh.Config) { c.Auth.Issuer, c.Auth.Audience = "x", "" }, []string{"auth.issuer", "auth.audience"}},
		"telemetry":       {func(c *mesh.Config) { c.Telemetry.SampleRatio = 2 }, []string{"telemetry.sample_ratio"}},
		"several at once": {func(c *mesh.Config) { c.Listen, c.Stop, c.Auth.ClientSecret = "", -1, "" }, []string{"listen", "stop", "auth.client_secret"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := goodConfig()
			c.change(&cfg)
			var lines []string
			if err := cfg.Validate(); err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if len(lines) != len(c.names) {
				t.Fatalf("refused: %q, want %q", lines, c.names)
			}
			for i, name := range c.names {
				if !strings.HasPrefix(lines[i], name+": ") {
					t.Errorf("%q doesn't name %s", lines[i], name)
				}
			}
		})
	}
}

// keys gives the settings of a configuration, as the file spells them.
func keys(config reflect.Type, prefix string) []string {
	var all []string
	for field := range config.Fields() {
		key := prefix + field.Tag.Get("koanf")
		if field.Type.Kind() == reflect.Struct {
			all = append(all, keys(field.Type, key+".")...)
		} else {
			all = append(all, key)
		}
	}
	return all
}

func TestNoTwoSettingsShareAVariable(t *testing.T) {
	t.Parallel()
	byName := map[string]string{}
	for _, key := range keys(reflect.TypeFor[mesh.Config](), "") {
		name := conf.Variable("EVENT", key)
		if other, taken := byName[name]; taken || name == conf.FileVariable("EVENT") {
			t.Errorf("%s stands for %s and for %s", name, key, other)
		}
		byName[name] = key
	}
	if len(byName) < 15 {
		t.Errorf("only %d settings: %v", len(byName), byName)
	}
}

// A process's own configuration embeds the common one; every setting can be given in the file and in the environment.
func TestEverySettingCanBeGiven(t *testing.T) {
	t.Parallel()
	type own struct {
		mesh.Config `koanf:",flatten"`

		Store string `koanf:"store"`
	}
	values := map[string]string{
		"tls.server.admin": "true", "tls.client.enabled": "true",
		"drain": "1s", "stop": "2s", "reflection": "false", "log_level": "WARN", "telemetry.sample_ratio": "0.5",
		"calls.timeout": "3s", "calls.first_attempt": "4s", "calls.attempts": "2", "calls.retry_burst": "5", "calls.retry_ratio": "0.25",
		"auth.cache_size": "7",
	}
	var environ []string
	for _, key := range append(keys(reflect.TypeFor[mesh.Config](), ""), "store") {
		value, special := values[key]
		if !special {
			value = "value-of-" + key
		}
		environ = append(environ, conf.Variable("EVENT", key)+"="+value)
	}
	fromFile := filepath.Join(t.TempDir(), "event.yaml")
	if err := os.WriteFile(fromFile, []byte("store: file\nauth:\n  client_id: file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := conf.Load(own{Config: goodConfig()}, "EVENT", fromFile, nil)
	if err != nil || cfg.Store != "file" || cfg.Auth.ClientID != "file" || cfg.Listen != "localhost:8080" {
		t.Errorf("from the file: %+v, %v", cfg, err)
	}
	cfg, err = conf.Load(own{Config: goodConfig()}, "EVENT", fromFile, environ)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(cfg.Store, cfg.Listen, cfg.Drain, cfg.Stop, cfg.Reflection, cfg.LogLevel, cfg.Telemetry.SampleRatio, cfg.Auth.ClientSecret.Reveal(), cfg.Calls)
	want := "value-of-store value-of-listen 1s 2s false WARN 0.5 value-of-auth.client_secret {3s 4s 2 5 0.25}\n"
	if got != want {
		t.Errorf("from the environment: %s, want %s", got, want)
	}
}
