package stream

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/meshtest"
)

// apache is an Apache Kafka, which all tests share: each has topics of its own, and a group that is called like its topic.
type apache struct {
	*broker
	admin *kadm.Client
}

func newApache(t *testing.T) apache {
	t.Helper()
	return apacheAt(t, meshtest.Kafka(t))
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("not a URL")
	}
	return u
}

func apacheAt(t *testing.T, address string) apache {
	t.Helper()
	b := &broker{cfg: Defaults(meshtest.NewName())}
	b.cfg.Brokers = []string{address}
	b.own = b.client(t)
	k := apache{b, admin(b.own)}
	eventually(t, "a new Kafka knows its groups", func() bool { _, err := k.admin.FetchOffsets(within(t), k.cfg.Topic); return err == nil })
	t.Cleanup(func() {
		if _, err := k.admin.DeleteTopics(meshtest.Background(t), k.cfg.Topic, k.cfg.DLQ()); err != nil {
			t.Error(err)
		}
	})
	return k
}

// relay runs a relay until the test ends.
func (k apache) relay(t *testing.T, cfg Config, q *queue, log *slog.Logger) *Relay {
	t.Helper()
	r, err := NewRelay(q, cfg, "/thing", telling(t, log))
	if err != nil {
		t.Fatal(err)
	}
	start(t, r.Run)
	return r
}

// consumer makes a member of the test's group.
func (k apache) consumer(t *testing.T, cfg Config, one func(context.Context, *kgo.Record) error, log *slog.Logger) *Consumer {
	t.Helper()
	c, err := NewConsumer(cfg, k.cfg.Topic, each(one), telling(t, log))
	if err != nil {
		t.Fatal(err)
	}
	// Only the last of the members to end can delete the group.
	t.Cleanup(func() { _, _ = k.admin.DeleteGroups(meshtest.Background(t), k.cfg.Topic) })
	return c
}

// settled is how many records the group has committed, over all partitions.
func (k apache) settled(t *testing.T) (sum int64) {
	t.Helper()
	offsets, err := k.admin.FetchOffsets(within(t), k.cfg.Topic)
	if err != nil {
		t.Fatal(err)
	}
	offsets.Each(func(o kadm.OffsetResponse) { sum += max(o.At, 0) })
	return sum
}

// written is how many records were put on the topic.
func (k apache) written(t *testing.T) (sum int64) {
	t.Helper()
	ends, err := k.admin.ListEndOffsets(within(t), k.cfg.Topic)
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum
}

// settings gives what Kafka has as a topic's settings.
func (k apache) settings(t *testing.T, topic string) (partitions, replicas int, settings map[string]string) {
	t.Helper()
	found, err := k.admin.ListTopics(within(t), topic)
	if err != nil || len(found[topic].Partitions) == 0 {
		t.Fatal(err, found)
	}
	partitions, settings = k.described(t, topic)
	return partitions, found[topic].Partitions.NumReplicas(), settings
}

func TestRealTopicsAreCreatedAsConfigured(t *testing.T) {
	t.Parallel()
	k := newApache(t)
	k.cfg.Partitions, k.cfg.Replication, k.cfg.MinISR, k.cfg.Retention, k.cfg.DLQRetention = 5, 1, 1, time.Hour, 48*time.Hour
	k.topics(t)
	k.topics(t) // that they exist is no error
	for topic, retention := range map[string]string{k.cfg.Topic: "3600000", k.cfg.DLQ(): "172800000"} {
		partitions, replicas, settings := k.settings(t, topic)
		if partitions != 5 || replicas != 1 || settings[retentionKey] != retention || settings[minISRKey] != "1" {
			t.Errorf("%s: %d partitions, %d replicas, %v", topic, partitions, replicas, settings)
		}
	}
}

func TestRealTopicsThatExistAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	k, log := newApache(t), &journalled{}
	k.topics(t)
	_, _, before := k.settings(t, k.cfg.Topic)
	k.cfg.Partitions, k.cfg.Replication, k.cfg.MinISR, k.cfg.Retention = 7, 3, 2, time.Hour
	if err := k.cluster(t, log).ensure(within(t)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		k.cfg.Topic + " has partitions 6, the setting is 7", k.cfg.Topic + " has replication 1, the setting is 3",
		k.cfg.Topic + " has min.insync.replicas 1, the setting is 2", k.cfg.Topic + " has retention.ms 604800000, the setting is 3600000",
		k.cfg.DLQ() + " has partitions 6, the setting is 7",
	} {
		if log.count("WARN") != 1 || log.count("") != 1 || !strings.Contains(log.String(), want) {
			t.Errorf("logged %s, want one warning with %q", log, want)
		}
	}
	partitions, replicas, after := k.settings(t, k.cfg.Topic)
	if partitions != 6 || replicas != 1 || after[retentionKey] != before[retentionKey] || after[minISRKey] != before[minISRKey] {
		t.Errorf("altered: %d partitions, %d replicas, %v", partitions, replicas, after)
	}
}

// TestRealTopicsThatCantBeMadeAreTold shows what an administrator has to do, and that the work begins when it is done.
func TestRealTopicsThatCantBeMadeAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*Config)
		want  string
	}{
		"none may be created":        {func(cfg *Config) { cfg.CreateTopics = false }, " does not exist: create it, or set kafka.create_topics"},
		"more replicas than brokers": {func(cfg *Config) { cfg.Replication = 3 }, ": there are fewer brokers than kafka.replication: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, log, q, j := newApache(t), &journalled{}, &queue{}, &journal{}
			cfg := k.cfg
			c.spoil(&cfg)
			q.add(message("key", 1))
			relay := k.relay(t, cfg, q, log.logger())
			consumer := k.consumer(t, cfg, j.handle, quiet(t))
			start(t, consumer.Run)
			eventually(t, "it is told", func() bool { return log.count("ERROR") > 0 })
			if relay.Ready(within(t)) == nil || consumer.Ready(within(t)) == nil {
				t.Error("ready")
			}
			if want := "topic " + cfg.Topic + c.want; log.count("ERROR") != 1 || !strings.Contains(log.String(), want) {
				t.Errorf("logged %s, want once %q", log, want)
			}
			k.topics(t)
			eventually(t, "the message is applied", func() bool { return j.count() == 1 })
			eventually(t, "both are ready", func() bool { return relay.Ready(within(t)) == nil && consumer.Ready(within(t)) == nil })
		})
	}
}
