package stream

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	sasl := func(mechanism string) SASLConfig { return SASLConfig{mechanism, "user", "secret"} }
	cases := map[string]struct {
		change func(*Config)
		want   []string // the settings that the error names
	}{
		"defaults":                      {func(*Config) {}, nil},
		"a cluster's":                   {func(c *Config) { c.Replication, c.MinISR, c.Retention = 3, 2, 14*24*time.Hour }, nil},
		"left to the brokers":           {func(c *Config) { c.DLQRetention = 0 }, nil},
		"no brokers":                    {func(c *Config) { c.Brokers = nil }, []string{"brokers:"}},
		"no topic":                      {func(c *Config) { c.Topic = "" }, []string{"topic:"}},
		"no partitions":                 {func(c *Config) { c.Partitions = 0 }, []string{"partitions:"}},
		"no replication":                {func(c *Config) { c.Replication = 0 }, []string{"replication:"}},
		"negative replication":          {func(c *Config) { c.Replication = -2 }, []string{"replication:"}},
		"negative min ISR":              {func(c *Config) { c.MinISR = -1 }, []string{"min_isr:"}},
		"more in sync than kept":        {func(c *Config) { c.Replication, c.MinISR = 2, 3 }, []string{"min_isr:"}},
		"min ISR, brokers' replication": {func(c *Config) { c.MinISR = 2 }, nil},
		"short retention":               {func(c *Config) { c.Retention = time.Millisecond }, []string{"retention:"}},
		"negative retention":            {func(c *Config) { c.DLQRetention = -1 }, []string{"dlq_retention:"}},
		"SCRAM-256":                     {func(c *Config) { c.SASL, c.Brokers = sasl("SCRAM-SHA-256"), []string{"kafka:9092"} }, nil},
		"SCRAM-512":                     {func(c *Config) { c.SASL, c.Brokers = sasl("SCRAM-SHA-512"), []string{"kafka:9092"} }, nil},
		"PLAIN here":                    {func(c *Config) { c.SASL, c.Brokers = sasl("PLAIN"), []string{"localhost:1", "127.0.0.2:1", "[::1]:1"} }, nil},
		"PLAIN by TLS": {func(c *Config) {
			c.SASL, c.Brokers, c.TLS.Enabled = sasl("PLAIN"), []string{"kafka:9092"}, true
		}, nil},
		"PLAIN in plaintext":  {func(c *Config) { c.SASL, c.Brokers = sasl("PLAIN"), []string{"localhost:1", "kafka:9092"} }, []string{"sasl.mechanism:"}},
		"unknown mechanism":   {func(c *Config) { c.SASL = sasl("GSSAPI") }, []string{"sasl.mechanism:"}},
		"nobody":              {func(c *Config) { c.SASL.Mechanism = "PLAIN" }, []string{"sasl.user:", "sasl.password:"}},
		"no mechanism":        {func(c *Config) { c.SASL = sasl("") }, []string{"sasl.mechanism:"}},
		"password by itself":  {func(c *Config) { c.SASL.Password = "secret" }, []string{"sasl.mechanism:"}},
		"everything is wrong": {func(c *Config) { *c = Config{MinISR: -1} }, []string{"brokers:", "topic:", "partitions:", "replication:", "min_isr:"}},
	}
	for name, c := range cases {
		cfg := Defaults("things")
		c.change(&cfg)
		var got []string
		if err := cfg.Validate(); err != nil {
			for line := range strings.Lines(err.Error()) {
				got = append(got, strings.Fields(line)[0])
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: it tells the password: %v", name, err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: named %v, want %v", name, got, c.want)
		}
	}
}

func TestThePasswordIsNotPrinted(t *testing.T) {
	t.Parallel()
	cfg := Defaults("things")
	cfg.SASL = SASLConfig{"PLAIN", "user", "hunter2"}
	if text := fmt.Sprintf("%v %+v %#v", cfg, cfg, cfg); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}
