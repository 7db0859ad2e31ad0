package conf_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/conf"
)

// Common is exported because a configuration embeds it: fields of an unexported embedded struct are not seen.
type Common struct {
	Listen string     `koanf:"listen"`
	Level  slog.Level `koanf:"log_level"`
	Auth   auth       `koanf:"auth"`
}

type auth struct {
	ClientID     string      `koanf:"client_id"`
	ClientSecret conf.Secret `koanf:"client_secret"`
}

type kafka struct {
	Brokers []string      `koanf:"brokers"`
	Linger  time.Duration `koanf:"linger"`
	Retries int           `koanf:"retries"`
}

type config struct {
	Common `koanf:",flatten"`

	Kafka   kafka   `koanf:"kafka"`
	Reflect bool    `koanf:"reflection"`
	Ratio   float64 `koanf:"ratio"`
}

func defaults() config {
	return config{
		Common: Common{Listen: "localhost:8080", Auth: auth{ClientID: "event"}},
		Kafka:  kafka{Brokers: []string{"localhost:9092"}, Linger: time.Second, Retries: 3},
		Ratio:  1,
	}
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		file    string
		environ []string
		change  func(*config)
	}{
		"defaults alone": {change: func(*config) {}},
		"an empty file":  {file: "\n", change: func(*config) {}},
		"the file over the defaults": {
			file:   "listen: localhost:1\nkafka:\n  retries: 5\n",
			change: func(c *config) { c.Listen, c.Kafka.Retries = "localhost:1", 5 },
		},
		"the environment over the file": {
			file:    "listen: localhost:1\nratio: 0.5\n",
			environ: []string{"X_LISTEN=localhost:2"},
			change:  func(c *config) { c.Listen, c.Ratio = "localhost:2", 0.5 },
		},
		"keys without values": {
			file:   "auth:\n  # client_id: other\nlisten:\nkafka:\n  brokers:\n",
			change: func(*config) {},
		},
		"others' variables": {
			environ: []string{"PATH=/bin", "XX_LISTEN=a:1", "X=1", "LISTEN=b:2", "X_CONFIG=/elsewhere"},
			change:  func(*config) {},
		},
		"a value with an equals sign": {
			environ: []string{"X_AUTH_CLIENT_SECRET=a=b=="},
			change:  func(c *config) { c.Auth.ClientSecret = "a=b==" },
		},
		"a key with an underscore": {
			environ: []string{"X_AUTH_CLIENT_ID=other"},
			change:  func(c *config) { c.Auth.ClientID = "other" },
		},
		"a list from the file": {
			file:   "kafka:\n  brokers: [a:1, b:2]\n",
			change: func(c *config) { c.Kafka.Brokers = []string{"a:1", "b:2"} },
		},
		"a list from the environment": {
			environ: []string{"X_KAFKA_BROKERS=a:1,b:2"},
			change:  func(c *config) { c.Kafka.Brokers = []string{"a:1", "b:2"} },
		},
		"durations": {
			file:    "kafka:\n  linger: 1m30s\n",
			change:  func(c *config) { c.Kafka.Linger = 90 * time.Second },
			environ: nil,
		},
		"a log level": {
			environ: []string{"X_LOG_LEVEL=debug"},
			change:  func(c *config) { c.Level = slog.LevelDebug },
		},
		"numbers and switches from the environment": {
			environ: []string{"X_KAFKA_RETRIES=9", "X_RATIO=0.25", "X_REFLECTION=true"},
			change:  func(c *config) { c.Kafka.Retries, c.Ratio, c.Reflect = 9, 0.25, true },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var path string
			if c.file != "" {
				path = writeFile(t, c.file)
			}
			got, err := conf.Load(defaults(), "X", path, c.environ)
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			c.change(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		file    string
		environ []string
		names   []string
	}{
		"an unknown key":                 {file: "lisen: localhost:1\n", names: []string{"lisen"}},
		"an unknown nested key":          {file: "kafka:\n  broker: a:1\n", names: []string{"kafka", "broker"}},
		"an unknown key without a value": {file: "lisen:\n", names: []string{"lisen"}},
		"a key in another case":          {file: "Listen: localhost:1\n", names: []string{"Listen"}},
		"an unknown variable":            {environ: []string{"X_LISEN=a:1"}, names: []string{"X_LISEN", "X_LISTEN", "X_AUTH_CLIENT_ID"}},
		"a bad duration":                 {file: "kafka:\n  linger: soon\n", names: []string{"kafka.linger"}},
		"a bad number":                   {environ: []string{"X_KAFKA_RETRIES=many"}, names: []string{"kafka.retries"}},
		"a bad switch":                   {environ: []string{"X_REFLECTION=perhaps"}, names: []string{"reflection"}},
		"a bad log level":                {environ: []string{"X_LOG_LEVEL=loud"}, names: []string{"log_level"}},
		"a value where a section is":     {file: "kafka: 5\n", names: []string{"kafka"}},
		"a section where a value is":     {file: "listen:\n  port: 5\n", names: []string{"listen"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var path string
			if c.file != "" {
				path = writeFile(t, c.file)
			}
			_, err := conf.Load(defaults(), "X", path, c.environ)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range c.names {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q doesn't name %s", err, part)
				}
			}
		})
	}
}

func TestBrokenAndMissingFilesAreNamed(t *testing.T) {
	t.Parallel()
	broken := writeFile(t, "listen: [unclosed\n")
	if _, err := conf.Load(defaults(), "X", broken, nil); err == nil || !strings.Contains(err.Error(), broken) {
		t.Errorf("broken file: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "nowhere.yaml")
	_, err := conf.Load(defaults(), "X", missing, nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}
}

func TestVariable(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"listen": "X_LISTEN", "auth.client_id": "X_AUTH_CLIENT_ID", "kafka.brokers": "X_KAFKA_BROKERS",
	} {
		if got := conf.Variable("X", key); got != want {
			t.Errorf("Variable(%s) = %s, want %s", key, got, want)
		}
	}
}

func TestPathPrefersTheCommandLine(t *testing.T) {
	t.Setenv("X_CONFIG", "from-environment.yaml")
	if got := conf.Path("X", "from-flag.yaml"); got != "from-flag.yaml" {
		t.Errorf("with a flag: %s", got)
	}
	if got := conf.Path("X", ""); got != "from-environment.yaml" {
		t.Errorf("without a flag: %s", got)
	}
	if got := conf.Path("Y", ""); got != "" {
		t.Errorf("without either: %s", got)
	}
}
