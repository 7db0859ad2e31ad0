package stream

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	retentionKey = "retention.ms"
	minISRKey    = "min.insync.replicas"
	// visibleTries and visiblePause bound how long a topic that was just created may be unknown to the other brokers.
	visibleTries = 20
	visiblePause = 50 * time.Millisecond
)

// create creates topics, and returns what Kafka tells of all when every broker can be taken to know them.
func (c *cluster) create(ctx context.Context, missing []string) (topics, error) {
	for _, topic := range missing {
		answers, err := c.admin.CreateTopics(ctx, c.cfg.Partitions, c.cfg.Replication, configs(c.cfg.topicSettings(topic)), topic)
		if err == nil {
			err = answers[topic].Err
		}
		switch {
		case errors.Is(err, kerr.TopicAlreadyExists): // another process was quicker
		case err != nil:
			return nil, refused("topic "+topic, "CREATE", err)
		default:
			c.log.Info("kafka topic created", "topic", topic)
		}
	}
	wait := newBackoff(visiblePause, visiblePause)
	for tries := 1; ; tries++ {
		found, err := c.look(ctx)
		if err != nil || len(found.missing()) == 0 || tries == visibleTries {
			return found, err
		}
		wait.pause(ctx)
	}
}

// topicSettings gives what a topic is created with, but for what is left to the brokers.
func (c Config) topicSettings(topic string) map[string]string {
	retention := c.Retention
	if topic == c.DLQ() {
		retention = c.DLQRetention
	}
	settings := map[string]string{}
	if retention > 0 {
		settings[retentionKey] = strconv.FormatInt(retention.Milliseconds(), 10)
	}
	if c.MinISR > 0 {
		settings[minISRKey] = strconv.Itoa(int(c.MinISR))
	}
	return settings
}

func configs(settings map[string]string) map[string]*string {
	all := make(map[string]*string, len(settings))
	for key, value := range settings {
		all[key] = kadm.StringPtr(value)
	}
	return all
}

// compare warns of topics that are not as the settings would have them. They are left as they are: more partitions would move
// keys to others and so break the order of their records, and a shorter retention would delete records.
func (c *cluster) compare(ctx context.Context, existed topics) {
	var differences []string
	for _, name := range existed.names(func(topicState) bool { return true }) {
		state := existed[name]
		differences = append(differences, difference(name, "partitions", state.partitions, int(c.cfg.Partitions))...)
		if c.cfg.Replication > 0 {
			differences = append(differences, difference(name, "replication", state.replicas, int(c.cfg.Replication))...)
		}
		described, err := c.admin.DescribeTopicConfigs(ctx, name)
		if err == nil && len(described) == 1 {
			err = described[0].Err
		}
		if err != nil || len(described) != 1 {
			c.log.Info("kafka topic not compared with its settings", "topic", name, "error", err)
			continue
		}
		for _, key := range []string{minISRKey, retentionKey} {
			if want, set := c.cfg.topicSettings(name)[key]; set {
				differences = append(differences, difference(name, key, value(described[0], key), want)...)
			}
		}
	}
	if len(differences) > 0 {
		c.log.Warn("kafka topics are not as configured and are left as they are: alter them, or the settings", "differences", differences)
	}
}

// difference says how a topic differs from a setting; it is empty if it doesn't.
func difference[T comparable](topic, what string, is, set T) []string {
	if is == set {
		return nil
	}
	return []string{fmt.Sprintf("%s has %s %v, the setting is %v", topic, what, is, set)}
}

// value gives a topic's configuration; "" if it has none.
func value(described kadm.ResourceConfig, key string) string {
	for _, config := range described.Configs {
		if config.Key == key {
			return config.MaybeValue()
		}
	}
	return ""
}
