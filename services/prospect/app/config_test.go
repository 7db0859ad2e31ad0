package app

import (
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/stream"
)

// environ makes the defaults complete: a secret has none.
var environ = []string{"PROSPECT_AUTH_CLIENT_SECRET=secret"}

func load(t *testing.T, environ ...string) Config {
	t.Helper()
	cfg, err := conf.Load(Default(), "PROSPECT", "", environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDefaultsNeedNothingButTheSecret(t *testing.T) {
	t.Parallel()
	cfg := load(t, environ...)
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if cfg.Listen != "localhost:9090" || cfg.Admin != "localhost:19090" || cfg.Store != "sqlite:prospect.db" ||
		cfg.Kafka.Topic != "prospect-events" || cfg.Outbox.MaxWaiting != 1_000_000 || cfg.Auth.ClientID != "prospect-service" {
		t.Errorf("%+v", cfg)
	}
}

func TestEverySettingIsInTheEnvironment(t *testing.T) {
	t.Parallel()
	cfg := load(t, "PROSPECT_LISTEN=:1", "PROSPECT_STORE=sqlite:other.db", "PROSPECT_KAFKA_BROKERS=a:1,b:2",
		"PROSPECT_KAFKA_TOPIC=things", "PROSPECT_KAFKA_PARTITIONS=3", "PROSPECT_KAFKA_REPLICATION=2", "PROSPECT_OUTBOX_MAX_WAITING=500",
		"PROSPECT_EVENT_BREAKER_TIMEOUT=1s", "PROSPECT_EVENT_BREAKER_WINDOW=7", "PROSPECT_EVENT_BREAKER_MINIMUM_CALLS=4",
		"PROSPECT_EVENT_BREAKER_FAILURE_RATE=60", "PROSPECT_EVENT_BREAKER_OPEN=3s")
	if cfg.Listen != ":1" || cfg.Store != "sqlite:other.db" || strings.Join(cfg.Kafka.Brokers, " ") != "a:1 b:2" ||
		cfg.Kafka.Topic != "things" || cfg.Kafka.Partitions != 3 || cfg.Kafka.Replication != 2 || cfg.Outbox.MaxWaiting != 500 ||
		cfg.EventBreaker != (rpc.BreakerConfig{Timeout: time.Second, Window: 7, MinimumCalls: 4, FailureRate: 60, Open: 3 * time.Second}) {
		t.Errorf("%+v", cfg)
	}
	if _, err := conf.Load(Default(), "PROSPECT", "", []string{"PROSPECT_STOR=x"}); err == nil {
		t.Error("a setting that doesn't exist was taken")
	}
}

func TestTheSettingsOfKafkaAreInTheEnvironment(t *testing.T) {
	t.Parallel()
	got := load(t, "PROSPECT_KAFKA_CREATE_TOPICS=false", "PROSPECT_KAFKA_MIN_ISR=2", "PROSPECT_KAFKA_RETENTION=336h", "PROSPECT_KAFKA_DLQ_RETENTION=1440h",
		"PROSPECT_KAFKA_SASL_MECHANISM=SCRAM-SHA-512", "PROSPECT_KAFKA_SASL_USER=prospect", "PROSPECT_KAFKA_SASL_PASSWORD=secret").Kafka
	if got.CreateTopics || got.MinISR != 2 || got.Retention != 14*24*time.Hour || got.DLQRetention != 60*24*time.Hour ||
		got.SASL != (stream.SASLConfig{Mechanism: "SCRAM-SHA-512", User: "prospect", Password: "secret"}) {
		t.Errorf("%+v", got)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Config)
		want   []string // the settings that the error names
	}{
		"brokers":    {func(c *Config) { c.Kafka.Brokers = nil }, []string{"kafka.brokers:"}},
		"topic":      {func(c *Config) { c.Kafka.Topic = "" }, []string{"kafka.topic:"}},
		"partitions": {func(c *Config) { c.Kafka.Partitions = 0 }, []string{"kafka.partitions:"}},
		"kafka sasl": {func(c *Config) { c.Kafka.SASL.Mechanism, c.Kafka.Replication = "PLAIN", 0 }, []string{
			"kafka.sasl.user:", "kafka.sasl.password:", "kafka.replication:",
		}},
		"listen": {func(c *Config) { c.Listen = "nowhere" }, []string{"listen:"}},
		"secret": {func(c *Config) { c.Auth.ClientSecret = "" }, []string{"auth.client_secret:"}},
		"breaker": {func(c *Config) { c.EventBreaker = rpc.BreakerConfig{} }, []string{
			"event_breaker.timeout:", "event_breaker.window:", "event_breaker.minimum_calls:",
			"event_breaker.failure_rate:", "event_breaker.open:",
		}},
		"outbox":  {func(c *Config) { c.Outbox.MaxWaiting = -1 }, []string{"outbox.max_waiting:"}},
		"several": {func(c *Config) { c.Listen, c.Kafka.Topic = "", "" }, []string{"listen:", "kafka.topic:"}},
	}
	for name, c := range cases {
		cfg := load(t, environ...)
		c.change(&cfg)
		err := cfg.Validate()
		for _, setting := range c.want {
			if err == nil || !strings.Contains(err.Error(), setting) {
				t.Errorf("%s: error %v, want one of %s", name, err, setting)
			}
		}
	}
}
