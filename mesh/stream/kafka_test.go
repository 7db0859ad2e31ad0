package stream

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func admin(client *kgo.Client) *kadm.Client { return kadm.NewClient(client) }

func TestReadyTellsWhetherKafkaAnswers(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	relay, consumer := newRelay(t, b, &queue{}), newConsumer(t, b, refuse)
	start(t, relay.Run)
	start(t, consumer.Run)
	for name, ready := range map[string]func(context.Context) error{"relay": relay.Ready, "consumer": consumer.Ready} {
		eventually(t, name+" is ready", func() bool { return ready(t.Context()) == nil })
	}
	b.away(true)
	for name, ready := range map[string]func(context.Context) error{"relay": relay.Ready, "consumer": consumer.Ready} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if ready(ctx) == nil {
			t.Errorf("%s: ready without a broker", name)
		}
		cancel()
	}
	b.away(false) // or leaving the group takes until a timeout
}

func TestABadBrokerNameIsAnError(t *testing.T) {
	t.Parallel()
	cfg := Config{Brokers: []string{"localhost:port"}, Topic: "things", Partitions: 1, Replication: -1}
	if _, err := NewRelay(&queue{}, cfg, "/thing", telling(t, quiet(t))); err == nil {
		t.Error("the relay took it")
	}
	if _, err := NewConsumer(cfg, "group", each(refuse), telling(t, quiet(t))); err == nil {
		t.Error("the consumer took it")
	}
}
