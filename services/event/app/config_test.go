package app

import (
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/stream"
)

// environ makes the defaults complete: a secret has none.
var environ = []string{"EVENT_AUTH_CLIENT_SECRET=secret"}

func load(t *testing.T, environ ...string) Config {
	t.Helper()
	cfg, err := conf.Load(Default(), "EVENT", "", environ)
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
	if cfg.Listen != "localhost:8080" || cfg.Admin != "localhost:18080" || cfg.Store != "sqlite:event.db" ||
		cfg.Kafka.Topic != "prospect-events" || cfg.Group != "event" || cfg.InboxRetention != 90*24*time.Hour ||
		cfg.Auth.ClientID != "event-service" {
		t.Errorf("%+v", cfg)
	}
}

func TestEverySettingIsInTheEnvironment(t *testing.T) {
	t.Parallel()
	cfg := load(t, "EVENT_LISTEN=:1", "EVENT_STORE=sqlite:other.db", "EVENT_GROUP=other", "EVENT_KAFKA_BROKERS=a:1,b:2",
		"EVENT_KAFKA_TOPIC=things", "EVENT_KAFKA_PARTITIONS=3", "EVENT_KAFKA_REPLICATION=2", "EVENT_INBOX_RETENTION=4320h")
	if cfg.Listen != ":1" || cfg.Store != "sqlite:other.db" || cfg.Group != "other" || cfg.InboxRetention != 180*24*time.Hour ||
		strings.Join(cfg.Kafka.Brokers, " ") != "a:1 b:2" ||
		cfg.Kafka.Topic != "things" || cfg.Kafka.Partitions != 3 || cfg.Kafka.Replication != 2 {
		t.Errorf("%+v", cfg)
	}
	if _, err := conf.Load(Default(), "EVENT", "", []string{"EVENT_STOR=x"}); err == nil {
		t.Error("a setting that doesn't exist was taken")
	}
}

func TestTheSettingsOfKafkaAreInTheEnvironment(t *testing.T) {
	t.Parallel()
	got := load(t, "EVENT_KAFKA_CREATE_TOPICS=false", "EVENT_KAFKA_MIN_ISR=2", "EVENT_KAFKA_RETENTION=336h", "EVENT_KAFKA_DLQ_RETENTION=1440h",
		"EVENT_KAFKA_SASL_MECHANISM=SCRAM-SHA-512", "EVENT_KAFKA_SASL_USER=event", "EVENT_KAFKA_SASL_PASSWORD=secret").Kafka
	if got.CreateTopics || got.MinISR != 2 || got.Retention != 14*24*time.Hour || got.DLQRetention != 60*24*time.Hour ||
		got.SASL != (stream.SASLConfig{Mechanism: "SCRAM-SHA-512", User: "event", Password: "secret"}) {
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
		"kafka tls":  {func(c *Config) { c.Kafka.TLS.CAFile = "ca.crt" }, []string{"kafka.tls.ca_file:"}},
		"group":      {func(c *Config) { c.Group = "" }, []string{"group:"}},
		"kafka sasl": {func(c *Config) { c.Kafka.SASL.Mechanism, c.Kafka.Replication = "PLAIN", 0 }, []string{
			"kafka.sasl.user:", "kafka.sasl.password:", "kafka.replication:",
		}},
		"inbox":   {func(c *Config) { c.InboxRetention = -time.Hour }, []string{"inbox_retention:", "kafka.retention", "kafka.dlq_retention"}},
		"listen":  {func(c *Config) { c.Listen = "nowhere" }, []string{"listen:"}},
		"secret":  {func(c *Config) { c.Auth.ClientSecret = "" }, []string{"auth.client_secret:"}},
		"several": {func(c *Config) { c.Group, c.Listen, c.Kafka.Topic = "", "", "" }, []string{"group:", "listen:", "kafka.topic:"}},
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

// TestTheInboxIsKeptForLongerThanAMessageCanComeAgain: from the DLQ back to the topic, which keeps it anew.
func TestTheInboxIsKeptForLongerThanAMessageCanComeAgain(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	cases := map[string]struct {
		kafka, dlq, inbox time.Duration
		refused           bool
	}{
		"longer":                      {14 * day, 30 * day, 44*day + 1, false},
		"as long":                     {14 * day, 30 * day, 44 * day, true},
		"shorter than the DLQ":        {time.Hour, 30 * day, 29 * day, true},
		"shorter than the topic":      {30 * day, time.Hour, 29 * day, true},
		"the brokers' defaults":       {0, 0, 14*day + 1, false},
		"less than brokers' defaults": {0, 0, 14 * day, true},
		"for ever":                    {1000 * day, 1000 * day, 0, false},
		"a DLQ for longer":            {7 * day, 100 * day, 90 * day, true},
	}
	for name, c := range cases {
		cfg := load(t, environ...)
		cfg.Kafka.Retention, cfg.Kafka.DLQRetention, cfg.InboxRetention = c.kafka, c.dlq, c.inbox
		if err := cfg.Validate(); (err != nil) != c.refused || err != nil && !strings.Contains(err.Error(), "inbox_retention: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
