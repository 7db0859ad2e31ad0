package stream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func newRelay(t *testing.T, b *broker, q *queue) *Relay {
	t.Helper()
	relay, err := NewRelay(q, b.cfg, "/thing", telling(t, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	return relay
}

// wantOrdered checks that the messages of each key came in order; one that came again counts once.
func wantOrdered(t *testing.T, records []*kgo.Record, keys, each int) {
	t.Helper()
	seen := map[string][]string{}
	for _, r := range records {
		key, id := string(r.Key), header(r, "ce_id")
		if !slices.Contains(seen[key], id) {
			seen[key] = append(seen[key], id)
		}
	}
	for key, ids := range seen {
		if !slices.IsSorted(ids) || len(ids) != each {
			t.Errorf("key %s: %d messages, in the order %v", key, len(ids), ids)
		}
	}
	if len(seen) != keys {
		t.Errorf("%d keys, want %d", len(seen), keys)
	}
}

func addAll(q *queue, keys, from, to int) {
	for n := from; n < to; n++ {
		for k := range keys {
			q.add(message(fmt.Sprint("key", k), n))
		}
	}
}

func TestRelayPublishesInOrderPerKey(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	addAll(q, 7, 0, 100) // more than one batch
	start(t, newRelay(t, b, q).Run)
	wantOrdered(t, b.read(t, b.cfg.Topic, 700), 7, 100)
	eventually(t, "all are done", q.isEmpty)
}

func TestRelayWritesACloudEvent(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	m := message("a", 1)
	m.Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	q.add(m)
	start(t, newRelay(t, b, q).Run)
	r := b.read(t, b.cfg.Topic, 1)[0]
	want := map[string]string{
		"ce_specversion": "1.0", "ce_id": "a-001", "ce_type": "things.v1.made", "ce_source": "/thing",
		"ce_time": "2020-11-23T10:20:30.123456Z", "content-type": "application/protobuf", "traceparent": m.Trace,
	}
	got := map[string]string{}
	for _, h := range r.Headers {
		got[h.Key] = string(h.Value)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("headers %v, want %v", got, want)
	}
	if string(r.Key) != "a" || string(r.Value) != "payload 1" {
		t.Errorf("key %q, value %q", r.Key, r.Value)
	}
}

func TestRelayPublishesWhenWoken(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	relay := newRelay(t, b, q)
	relay.poll = time.Hour
	start(t, relay.Run)
	for n := range 3 {
		eventually(t, "the relay has looked", func() bool { _, _, claims := q.state(); return claims > n })
		q.add(message("a", n))
		relay.Wake()
		eventually(t, "the message is published", q.isEmpty)
	}
}

func TestRelayFindsAMessageWhoseWakeUpWasLost(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	relay := newRelay(t, b, q)
	relay.poll = 5 * time.Millisecond
	start(t, relay.Run)
	eventually(t, "the relay has looked", func() bool { _, _, claims := q.state(); return claims > 0 })
	q.add(message("a", 1))
	eventually(t, "the message is published", q.isEmpty)
}

func TestWakeNeverBlocks(t *testing.T) {
	t.Parallel()
	relay := newRelay(t, newBroker(t), &queue{})
	defer relay.client.Close()
	for range 3 {
		relay.Wake()
	}
}

func TestRelayDrainsInOrderWhenTheBrokerComesBack(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	b.away(true)
	addAll(q, 3, 0, 20)
	start(t, newRelay(t, b, q).Run)
	b.away(false)
	eventually(t, "all are done after a start without broker", q.isEmpty)
	b.away(true)
	addAll(q, 3, 20, 40)
	eventually(t, "the relay has claimed them", func() bool { _, _, claims := q.state(); return claims > 1 })
	b.away(false)
	eventually(t, "all are done after an interruption", q.isEmpty)
	wantOrdered(t, b.read(t, b.cfg.Topic, 120), 3, 40)
}

// holdProduce holds back the answers to produce requests until release is called. Asked is closed by the first. Release waits for
// what it lets go: a kfake that is closed meanwhile can lock itself up.
func (b *broker) holdProduce() (asked chan struct{}, release func()) {
	asked, free := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(asked) })
	var held sync.RWMutex
	b.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		if held.TryRLock() { // unless released
			defer held.RUnlock()
			first()
			b.SleepControl(func() { <-free })
		}
		return nil, nil, false
	})
	return asked, func() { close(free); held.Lock() }
}

func TestRelayIsDoneOnlyAfterTheAcknowledgement(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	asked, release := b.holdProduce()
	q.add(message("a", 1))
	start(t, newRelay(t, b, q).Run)
	<-asked
	if _, done, _ := q.state(); done != 0 {
		t.Error("done before Kafka had it")
	}
	release()
	eventually(t, "the message is done", q.isEmpty)
}

func TestRelayTriesAgainWhatKafkaRefused(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	b.refuseOnce(b.cfg.Topic, kerr.TopicAuthorizationFailed)
	q.add(message("a", 1))
	start(t, newRelay(t, b, q).Run)
	eventually(t, "the message is done", q.isEmpty)
	b.read(t, b.cfg.Topic, 1)
	if _, _, claims := q.state(); claims < 2 {
		t.Errorf("%d claims: the refusal was not seen", claims)
	}
}

// refuseOnce answers the first produce request for a topic with an error.
func (b *broker) refuseOnce(topic string, refusal *kerr.Error) {
	b.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		asked := req.(*kmsg.ProduceRequest)
		if len(asked.Topics) != 1 || (asked.Topics[0].Topic != topic && asked.Topics[0].Topic != "") {
			b.KeepControl()
			return nil, nil, false
		}
		return refusing(asked, always(refusal)), nil, true
	})
}

func TestRelaySurvivesItsQueue(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{claimFails: 2, doneFails: doneTries}
	q.add(message("a", 1), message("a", 2))
	start(t, newRelay(t, b, q).Run)
	eventually(t, "the messages are done", q.isEmpty)
	wantOrdered(t, b.read(t, b.cfg.Topic, 3), 1, 2) // the first was published twice, as that wasn't noted
}

func TestWhatCannotBeNotedAtOnceIsNotPublishedAgain(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{doneFails: doneTries - 1}
	q.add(message("a", 1))
	start(t, newRelay(t, b, q).Run)
	eventually(t, "the message is done", q.isEmpty)
	q.add(message("a", 2))
	eventually(t, "the next one, too", q.isEmpty)
	if got := b.read(t, b.cfg.Topic, 2); len(got) != 2 || header(got[1], "ce_id") != "a-002" {
		t.Errorf("%d records, want one of each message", len(got))
	}
}

func TestRelayFinishesWhatIsUnderWayWhenStopped(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	asked, release := b.holdProduce()
	q.add(message("a", 1))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = newRelay(t, b, q).Run(ctx) }()
	<-asked
	cancel()
	release()
	<-ended
	if !q.isEmpty() {
		t.Error("not done, although Kafka has it")
	}
}

func TestRelayStopsAlthoughTheBrokerHangs(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	asked, release := b.holdProduce()
	defer release()
	q.add(message("a", 1))
	stop := start(t, newRelay(t, b, q).Run)
	<-asked
	began := time.Now()
	stop()
	if took := time.Since(began); took > stopPatience+2*time.Second {
		t.Errorf("the stop took %v", took)
	}
	if q.isEmpty() {
		t.Error("done, although Kafka never answered")
	}
}

func TestRelayStopsAlthoughThereIsNoBroker(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	b.away(true)
	q.add(message("a", 1))
	start(t, newRelay(t, b, q).Run)()
}
