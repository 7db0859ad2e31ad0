package stream

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

const (
	// anewEvery is how often a consumer looks whether its topic is still the one that it was, and anewPatience how long it waits for the
	// answer: it takes nothing from the client meanwhile.
	anewEvery    = 5 * time.Second
	anewPatience = time.Second
)

// isAnew tells whether what failed did so because its topic was deleted and made anew. The client knows the old one until it is told to
// forget it.
func isAnew(err error) bool { return errors.Is(err, kerr.UnknownTopicID) }

// identity tells a topic from one that was made anew under its name: the two have different IDs (KIP-516). Brokers older than 2.8 have
// none, and what they have is one topic.
type identity struct {
	admin  *kadm.Client
	topic  string
	id     kadm.TopicID
	looked time.Time
}

// changed looks, unless it did a while ago, and tells whether the topic is another one than the one that was seen before.
func (i *identity) changed(ctx context.Context) bool {
	if time.Since(i.looked) < anewEvery {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, anewPatience)
	defer cancel()
	found, err := i.admin.ListTopics(ctx, i.topic)
	i.looked = time.Now()
	id, before := found[i.topic].ID, i.id
	if err != nil || id == (kadm.TopicID{}) {
		return false
	}
	i.id = id
	return before != id && before != kadm.TopicID{}
}

// beginAnew gives up what the topic was, and has the client look for what it is. Only who fills the lanes may call it. The client
// itself can't be relied on to say when: of several members, not each is told.
func (c *Consumer) beginAnew() {
	c.log.Warn("kafka topic was deleted and made anew: it is consumed from its beginning", "topic", c.cfg.Topic)
	// An offset of the old one says nothing of the new one, whose first records it would pass over.
	c.committing.Lock()
	c.era++
	c.committing.Unlock()
	old := map[string][]int32{}
	for _, l := range c.open() {
		old[c.cfg.Topic] = append(old[c.cfg.Topic], l.partition)
	}
	c.end(c.client, old)
	c.client.PurgeTopicsFromConsuming(c.cfg.Topic)
	c.client.AddConsumeTopics(c.cfg.Topic)
}
