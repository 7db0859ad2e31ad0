//go:build linux

package kafka

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/e2e/kafka/kafkatest"
)

// patience bounds every wait for Kafka.
const patience = 3 * time.Minute

// run starts a cluster for the time of the test.
func run(t *testing.T, o Options) *Cluster {
	t.Helper()
	kafkatest.NeedsPrograms(t)
	o.Folder = t.TempDir()
	begin := time.Now()
	c, err := Start(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.LastWords())
		}
		c.Stop()
	})
	t.Logf("started within %v", time.Since(begin).Round(time.Millisecond))
	return c
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect makes a client and a topic.
func connect(t *testing.T, topic string, addresses []string, opts ...kgo.Opt) (*kgo.Client, *kadm.Client) {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(addresses...), kgo.ConsumeTopics(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	admin := kadm.NewClient(client)
	if _, err := admin.CreateTopic(within(t), 1, -1, nil, topic); err != nil {
		t.Fatal(err)
	}
	return client, admin
}

func produce(t *testing.T, client *kgo.Client, topic, value string) {
	t.Helper()
	if err := client.ProduceSync(within(t), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// mustHave reads a topic from its beginning to these values.
func mustHave(t *testing.T, client *kgo.Client, want ...string) {
	t.Helper()
	var got []string
	for len(got) < len(want) {
		fetches := client.PollFetches(within(t))
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

// TestABrokerKeepsItsRecords kills a broker, stops it, and halts it for a while.
func TestABrokerKeepsItsRecords(t *testing.T) {
	t.Parallel()
	for name, zookeeper := range map[string]bool{"kraft": false, "zookeeper": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := run(t, Options{Brokers: 1, ZooKeeper: zookeeper})
			client, _ := connect(t, "things", c.Addresses())
			produce(t, client, "things", "killed")
			c.Kill(0)
			if err := c.Restart(within(t), 0); err != nil {
				t.Fatal(err)
			}
			produce(t, client, "things", "stopped")
			c.End(0)
			if err := c.Restart(within(t), 0); err != nil {
				t.Fatal(err)
			}
			if err := c.Halt(0); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), askEvery)
			defer cancel()
			if client.Ping(ctx) == nil {
				t.Error("a halted broker answers")
			}
			if err := c.Resume(0); err != nil {
				t.Fatal(err)
			}
			produce(t, client, "things", "halted")
			mustHave(t, client, "killed", "stopped", "halted")
		})
	}
}

func TestThreeBrokersGoOnWhenAnyOneIsKilled(t *testing.T) {
	t.Parallel()
	c := run(t, Options{Brokers: 3})
	client, admin := connect(t, "things", c.Addresses())
	var want []string
	for i := range 3 {
		c.Kill(i)
		value := fmt.Sprint("without ", i)
		begin := time.Now()
		produce(t, client, "things", value)
		t.Logf("without broker %d a record is kept after %v", i, time.Since(begin).Round(time.Millisecond))
		want = append(want, value)
		if err := errors.Join(c.Restart(within(t), i), c.AwaitInSync(within(t))); err != nil {
			t.Fatal(err)
		}
	}
	mustHave(t, client, want...)
	described, err := admin.ListTopics(within(t), "things")
	if err != nil || len(described["things"].Partitions[0].Replicas) != 3 {
		t.Errorf("the topic is %v, error %v, want three replicas", described, err)
	}
}
