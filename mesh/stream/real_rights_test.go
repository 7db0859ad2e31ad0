package stream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

// right is one line of Kafka's ACLs.
type right struct {
	user, topic, group string // the topic or the group
	operation          kadm.ACLOperation
}

func (r right) acl() *kadm.ACLBuilder {
	b := kadm.NewACLs().Allow("User:" + r.user).AllowHosts("*").Operations(r.operation).ResourcePatternType(kadm.ACLPatternLiteral)
	if r.group != "" {
		return b.Groups(r.group)
	}
	return b.Topics(r.topic)
}

// told is what the log says when it lacks.
func (r right) told() string {
	if r.group != "" {
		return fmt.Sprintf("group %s: this user has no right to %v", r.group, r.operation)
	}
	return fmt.Sprintf("topic %s: this user has no right to %v", r.topic, r.operation)
}

// toDescribe is the right to see that it is there, and no more.
func (r right) toDescribe() right {
	r.operation = kadm.OpDescribe
	return r
}

func (k secured) allow(t *testing.T, rights ...right) {
	t.Helper()
	for _, r := range rights {
		if answers, err := k.admin.CreateACLs(within(t), r.acl()); err != nil || answers[0].Err != nil {
			t.Fatal(err, answers)
		}
		t.Cleanup(func() { _, _ = k.admin.DeleteACLs(meshtest.Background(t), r.acl()) })
	}
}

func (k secured) forbid(t *testing.T, r right) {
	t.Helper()
	if answers, err := k.admin.DeleteACLs(within(t), r.acl()); err != nil || len(answers[0].Deleted) != 1 {
		t.Fatal(err, answers)
	}
}

// needed is what docs/messaging.md says that is needed where the topics are there: first what the publisher needs.
func (k secured) needed(publisher, applier string) []right {
	return []right{
		{user: publisher, topic: k.cfg.Topic, operation: kadm.OpWrite},
		{user: applier, topic: k.cfg.Topic, operation: kadm.OpRead},
		{user: applier, topic: k.cfg.DLQ(), operation: kadm.OpWrite},
		{user: applier, group: k.cfg.Topic, operation: kadm.OpRead},
	}
}

// flow is a relay and a consumer at work. It refuses what is of the key "bad".
type flow struct {
	k        apache
	queue    *queue
	relay    *Relay
	consumer *Consumer
	// What they log.
	published, applied *journalled
	journal            *journal
	sent               int
}

func (k apache) startFlow(t *testing.T, publisher, applier Config) *flow {
	t.Helper()
	f := &flow{k: k, queue: &queue{}, published: &journalled{}, applied: &journalled{}, journal: &journal{}}
	f.relay = k.relay(t, publisher, f.queue, f.published.logger())
	f.consumer = k.consumer(t, applier, func(ctx context.Context, r *kgo.Record) error {
		if string(r.Key) == "bad" {
			return fault.New(fault.Invalid, "bad")
		}
		return f.journal.handle(ctx, r)
	}, f.applied.logger())
	f.consumer.longest = f.consumer.shortest
	start(t, f.consumer.Run)
	return f
}

// send adds two messages, of which one will be refused.
func (f *flow) send() {
	f.sent++
	f.queue.add(message("good", f.sent), message("bad", f.sent))
	f.relay.Wake()
}

// wantCarried checks that the one is applied, that the other goes to the DLQ, and that the group knows of both.
func (f *flow) wantCarried(t *testing.T) {
	t.Helper()
	eventually(t, "the message is applied", func() bool { return f.journal.has(fmt.Sprint("payload ", f.sent)) })
	f.k.read(t, f.k.cfg.DLQ(), f.sent)
	eventually(t, "both are committed", func() bool { return f.k.settled(t) == int64(2*f.sent) })
	eventually(t, "both are ready", func() bool { return f.relay.Ready(within(t)) == nil && f.consumer.Ready(within(t)) == nil })
}

// TestRealEachRightIsNeededAndAllAreEnough begins without one of the rights, is given it, loses it, and is given it again. What is
// sent meanwhile waits.
func TestRealEachRightIsNeededAndAllAreEnough(t *testing.T) {
	t.Parallel()
	for n, name := range []string{"to publish", "to consume", "to bury", "to be a member"} {
		for _, sees := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", may describe: ", sees), func(t *testing.T) {
				t.Parallel()
				k := newSecured(t)
				k.topics(t)
				publisher, applier := k.user(t, "publisher", mechanismScram512), k.user(t, "applier", mechanismScram512)
				rights := k.needed(publisher.User, applier.User)
				lacking := rights[n]
				rights = slices.Delete(rights, n, n+1)
				if sees {
					rights = append(rights, lacking.toDescribe())
				}
				k.allow(t, rights...)
				f := k.startFlow(t, k.by(publisher), k.by(applier))
				ready, log := f.consumer.Ready, f.applied
				if lacking.user == publisher.User {
					ready, log = f.relay.Ready, f.published
				}
				wantTold(t, ready, log, 1, lacking.told())
				f.send()
				k.allow(t, lacking)
				f.wantCarried(t)
				k.forbid(t, lacking)
				wantTold(t, ready, log, 2, lacking.told())
				f.send()
				k.allow(t, lacking)
				f.wantCarried(t)
			})
		}
	}
}

// TestRealTopicsAreCreatedByWhoMay begins without the right to create the topics, and is given it.
func TestRealTopicsAreCreatedByWhoMay(t *testing.T) {
	t.Parallel()
	k := newSecured(t)
	publisher, applier := k.user(t, "publisher", mechanismScram512), k.user(t, "applier", mechanismScram512)
	k.allow(t, k.needed(publisher.User, applier.User)...)
	f := k.startFlow(t, k.by(publisher), k.by(applier))
	topic := right{user: publisher.User, topic: k.cfg.Topic, operation: kadm.OpCreate}
	dlq := right{user: applier.User, topic: k.cfg.DLQ(), operation: kadm.OpCreate}
	wantTold(t, f.relay.Ready, f.published, 1, topic.told())
	f.send()
	k.allow(t, topic, dlq)
	f.wantCarried(t)
}

// TestRealTopicsAreComparedByWhoMay shows that the right to do so is needed for nothing else.
func TestRealTopicsAreComparedByWhoMay(t *testing.T) {
	t.Parallel()
	k := newSecured(t)
	k.topics(t)
	k.cfg.Partitions, k.cfg.Retention = 7, time.Hour
	who := k.user(t, "publisher", mechanismScram512)
	k.allow(t, right{user: who.User, topic: k.cfg.Topic, operation: kadm.OpWrite})
	const partitions, retention = "has partitions 6, the setting is 7", "has retention.ms 604800000, the setting is 3600000"
	eventually(t, "what is seen without the right is compared", func() bool {
		log, err := attempt(t, k.by(who))
		return err == nil && strings.Contains(log, partitions) && strings.Contains(log, "kafka topic not compared with its settings")
	})
	k.allow(t, right{user: who.User, topic: k.cfg.Topic, operation: kadm.OpDescribeConfigs})
	eventually(t, "all is compared", func() bool {
		log, err := attempt(t, k.by(who))
		return err == nil && strings.Contains(log, partitions) && strings.Contains(log, retention)
	})
}
