package stream

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func admin(client *kgo.Client) *kadm.Client { return kadm.NewClient(client) }

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*Config)
		want   string // the setting that the error begins with; "": good
	}{
		"defaults":             {func(*Config) {}, ""},
		"replication":          {func(c *Config) { c.Replication = 3 }, ""},
		"no brokers":           {func(c *Config) { c.Brokers = nil }, "brokers:"},
		"no topic":             {func(c *Config) { c.Topic = "" }, "topic:"},
		"no partitions":        {func(c *Config) { c.Partitions = 0 }, "partitions:"},
		"no replication":       {func(c *Config) { c.Replication = 0 }, "replication:"},
		"negative replication": {func(c *Config) { c.Replication = -2 }, "replication:"},
	}
	for name, c := range cases {
		cfg := Defaults("things")
		c.change(&cfg)
		switch err := cfg.Validate(); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: error %v, want one of %s", name, err, c.want)
		}
	}
}

func TestTopicsAreCreatedAsConfigured(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.cfg.Partitions = 5
	b.topics(t)
	b.topics(t) // that they exist is no error
	found, err := admin(b.client(t)).ListTopics(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"things", "things.dlq"} {
		if n := len(found[topic].Partitions); n != 5 {
			t.Errorf("%s has %d partitions, want 5", topic, n)
		}
	}
}

func TestReadyTellsWhetherKafkaAnswers(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	relay, consumer := newRelay(t, b, &queue{}), newConsumer(t, b, refuse)
	start(t, relay.Run)
	start(t, consumer.Run)
	for name, ready := range map[string]func(context.Context) error{"relay": relay.Ready, "consumer": consumer.Ready} {
		if err := ready(within(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.away(true)
	for name, ready := range map[string]func(context.Context) error{"relay": relay.Ready, "consumer": consumer.Ready} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if ready(ctx) == nil {
			t.Errorf("%s: ready without a broker", name)
		}
		cancel()
	}
}

func TestABadBrokerNameIsAnError(t *testing.T) {
	t.Parallel()
	cfg := Config{Brokers: []string{"localhost:port"}, Topic: "things", Partitions: 1, Replication: -1}
	if _, err := NewRelay(&queue{}, cfg, "/thing", noTraces(t), quiet(t)); err == nil {
		t.Error("the relay took it")
	}
	if _, err := NewConsumer(cfg, "group", refuse, noTraces(t), quiet(t)); err == nil {
		t.Error("the consumer took it")
	}
}
