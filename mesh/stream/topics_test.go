package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (b *broker) cluster(t *testing.T, log *journalled) *cluster {
	t.Helper()
	return newCluster(b.client(t), b.cfg, publishing(b.cfg), log.logger())
}

// described gives what Kafka has as a topic's settings.
func (b *broker) described(t *testing.T, topic string) (partitions int, settings map[string]string) {
	t.Helper()
	found, err := admin(b.client(t)).ListTopics(within(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	all, err := admin(b.client(t)).DescribeTopicConfigs(within(t), topic)
	if err != nil || len(all) != 1 {
		t.Fatal(err, all)
	}
	return len(found[topic].Partitions), map[string]string{retentionKey: value(all[0], retentionKey), minISRKey: value(all[0], minISRKey)}
}

func TestTopicsAreCreatedAsConfigured(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.cfg.Partitions, b.cfg.MinISR, b.cfg.Retention, b.cfg.DLQRetention = 5, 1, time.Hour, 48*time.Hour
	b.topics(t)
	b.topics(t) // that they exist is no error
	for topic, retention := range map[string]string{"things": "3600000", "things.dlq": "172800000"} {
		partitions, settings := b.described(t, topic)
		if partitions != 5 || settings[retentionKey] != retention || settings[minISRKey] != "1" {
			t.Errorf("%s: %d partitions, %v", topic, partitions, settings)
		}
	}
}

func TestWhatIsNotSetIsLeftToTheBrokers(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.ControlKey(int16(kmsg.CreateTopics), func(request kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		for _, topic := range request.(*kmsg.CreateTopicsRequest).Topics {
			if len(topic.Configs) > 0 || topic.ReplicationFactor != -1 {
				t.Errorf("%s: replication %d, %v", topic.Topic, topic.ReplicationFactor, topic.Configs)
			}
		}
		return nil, nil, false
	})
	b.topics(t)
}

func TestTopicsThatExistAreLeftAsTheyAre(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	b.cfg.Retention = time.Hour
	b.topics(t)
	before, settings := b.described(t, "things")
	if err := b.cluster(t, log).ensure(within(t)); err != nil || log.count("") != 0 {
		t.Fatalf("%v, logged %s", err, log)
	}
	b.cfg.Partitions, b.cfg.Replication, b.cfg.MinISR, b.cfg.Retention = 7, 2, 2, 2*time.Hour
	if err := b.cluster(t, log).ensure(within(t)); err != nil {
		t.Fatal(err)
	}
	if log.count("WARN") != 1 || log.count("") != 1 {
		t.Fatalf("logged %s, want one warning", log)
	}
	for _, want := range []string{
		"things has partitions 3, the setting is 7", "things has replication 1, the setting is 2",
		"things has min.insync.replicas 1, the setting is 2", "things has retention.ms 3600000, the setting is 7200000",
		"things.dlq has partitions 3, the setting is 7",
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("logged %s, want %q", log, want)
		}
	}
	if after, now := b.described(t, "things"); after != before || now[retentionKey] != settings[retentionKey] {
		t.Errorf("altered: %d partitions, %v", after, now)
	}
}

// TestWhatIsMissingIsToldOnce shows each thing that can be wrong with topics and rights: one line in the log that says what
// to do, not ready until it is mended, and then work goes on by itself.
func TestWhatIsMissingIsToldOnce(t *testing.T) {
	t.Parallel()
	refuse := func(key kmsg.Key, topic string, err *kerr.Error) func(*broker) (mend func()) {
		return func(b *broker) func() {
			return b.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Topic: topic, Err: err, Count: -1}).Remove
		}
	}
	cases := map[string]struct {
		spoil func(*broker) (mend func())
		want  string
	}{
		"no topic, none may be created": {func(b *broker) func() {
			return func() {
				if _, err := admin(b.client(t)).CreateTopics(within(t), 3, 1, nil, "things", "things.dlq"); err != nil {
					t.Error(err)
				}
			}
		}, "topic things does not exist: create it, or set kafka.create_topics"},
		"no right to look": {refuse(kmsg.Metadata, "things", kerr.TopicAuthorizationFailed), "topic things: this user has no right to READ, nor to DESCRIBE"},
		"no right to create": {func(b *broker) func() {
			return b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: kerr.TopicAuthorizationFailed, Count: -1}).Remove
		}, "topic things: this user has no right to CREATE"},
		"the brokers' policy": {refuse(kmsg.CreateTopics, "things.dlq", kerr.PolicyViolation), "topic things.dlq: POLICY_VIOLATION"},
		"no right to the group": {func(b *broker) func() {
			return b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: "group", Err: kerr.GroupAuthorizationFailed, Count: -1}).Remove
		}, "group group: this user has no right to READ"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, log, j := newBroker(t), &journalled{}, &journal{}
			b.cfg.CreateTopics = !strings.Contains(c.want, "create_topics")
			mend := c.spoil(b)
			consumer, err := NewConsumer(b.cfg, "group", each(j.handle), telling(t, log.logger()))
			if err != nil {
				t.Fatal(err)
			}
			stop := start(t, consumer.Run)
			eventually(t, "it is told", func() bool { return log.count("ERROR") == 1 })
			for range 3 {
				if consumer.Ready(within(t)) == nil {
					t.Error("ready")
				}
			}
			if log.count("ERROR") != 1 || !strings.Contains(log.String(), c.want) {
				t.Errorf("logged %s, want once %q", log, c.want)
			}
			mend()
			eventually(t, "it is ready", func() bool { return consumer.Ready(t.Context()) == nil })
			b.produce(t, numbered(0, 0, 1)...)
			eventually(t, "a record is applied", func() bool { return j.count() == 1 })
			stop()
			if log.count("ERROR") != 1 {
				t.Errorf("logged %s", log)
			}
		})
	}
}

func TestTheRelayNeedsNoRightToTheDLQ(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	b.topics(t)
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "things.dlq", Err: kerr.TopicAuthorizationFailed, Count: -1})
	if err := b.cluster(t, log).ensure(within(t)); err != nil || log.count("ERROR") != 0 {
		t.Errorf("%v, logged %s", err, log)
	}
}

func TestNobodyIsReadyBeforeTheTopicsAre(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	fault := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Topic: "things.dlq", Err: kerr.PolicyViolation, Count: -1})
	c := b.cluster(t, log)
	start(t, func(ctx context.Context) error { return c.ensure(ctx) })
	eventually(t, "it is told", func() bool { return log.count("ERROR") == 1 })
	// The relay's own topic is there, but it hasn't begun.
	if err := c.ready(within(t)); !errors.Is(err, kerr.PolicyViolation) {
		t.Errorf("error %v", err)
	}
	fault.Remove()
	eventually(t, "it is ready", func() bool { return c.ready(t.Context()) == nil })
}

func TestTopicsNotComparedAreNoHindrance(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	b.topics(t)
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	if err := b.cluster(t, log).ensure(within(t)); err != nil || log.count("ERROR") != 0 || log.count("INFO") != 2 {
		t.Errorf("%v, logged %s", err, log)
	}
}

func TestABrokerThatIsAwayIsToldOnce(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	b.topics(t)
	c := b.cluster(t, log)
	if err := c.ensure(within(t)); err != nil {
		t.Fatal(err)
	}
	b.away(true)
	for range 5 {
		if c.ready(within(t)) == nil {
			t.Fatal("ready")
		}
	}
	// The cut connection and the refused one may be told in different words, each once.
	if n := log.count("ERROR"); n < 1 || n > 2 {
		t.Errorf("logged %s", log)
	}
	b.away(false)
	eventually(t, "it is ready", func() bool { return c.ready(t.Context()) == nil })
	if log.count("INFO") != 1 || !strings.Contains(log.String(), "usable again") {
		t.Errorf("logged %s", log)
	}
}

func TestStoppingIsNoFault(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.cluster(t, log).ensure(ctx); err == nil || log.count("") != 0 {
		t.Errorf("%v, logged %s", err, log)
	}
	b.topics(t)
	c := b.cluster(t, log)
	if err := c.ensure(within(t)); err != nil {
		t.Fatal(err)
	}
	c.client.Close()
	if c.ready(within(t)) == nil || log.count("") != 0 {
		t.Errorf("closed: logged %s", log)
	}
}

func TestWhatPassesByItselfIsToldOnlyIfItStays(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	c := b.cluster(t, log)
	starting := fmt.Errorf("group: %w", kerr.CoordinatorNotAvailable)
	c.note(starting)
	c.note(starting)
	c.note(nil)
	if log.count("") != 0 {
		t.Errorf("logged %s", log)
	}
	c.note(starting)
	c.since = c.since.Add(-passing)
	c.note(starting)
	if log.count("ERROR") != 1 || !strings.Contains(log.String(), kerr.CoordinatorNotAvailable.Message) {
		t.Errorf("logged %s, want one error", log)
	}
}

func TestEveryRightIsAsked(t *testing.T) {
	t.Parallel()
	cfg := Defaults("things")
	if got := publishing(cfg).topics; len(got) != 1 || got["things"] != kadm.OpWrite {
		t.Errorf("the relay: %v", got)
	}
	if got := consuming(cfg, "group"); got.topics["things"] != kadm.OpRead || got.topics["things.dlq"] != kadm.OpWrite || got.group != "group" {
		t.Errorf("the consumer: %v", got)
	}
}
