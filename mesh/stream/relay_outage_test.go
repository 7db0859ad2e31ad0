package stream

import (
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/outbox"
)

func (l *journalled) has(text string) bool { return strings.Contains(l.String(), text) }

// TestKafkaAwayAndBack has messages come while Kafka is away: the room knows of each, the log says once what is wrong, readiness, too, and
// when Kafka is back all are published in order.
func TestKafkaAwayAndBack(t *testing.T) {
	t.Parallel()
	b, q, room, journal := newBroker(t), &queue{}, outbox.NewRoom(0), &journalled{}
	relay, err := NewRelay(q, b.cfg, "/thing", telling(t, journal.logger()), WithRoom(room))
	if err != nil {
		t.Fatal(err)
	}
	relay.poll, relay.lease = 5*time.Millisecond, leaseOfTests
	q.renewFails = 1 << 30 // what can't be sent is given up soon
	start(t, relay.Run)
	addAll(q, 3, 0, 10)
	eventually(t, "what came before is published", q.isEmpty)
	b.away(true)
	for n := 10; n < 40; n++ {
		addAll(q, 3, n, n+1)
		relay.Wake()
		eventually(t, "the room knows what waits", func() bool { return room.Backlog().Count == 3*(n-9) })
	}
	eventually(t, "the log names Kafka", func() bool { return journal.has("kafka is not usable") })
	_, _, claims := q.state()
	for range 20 {
		if relay.Ready(within(t)) == nil {
			t.Error("ready, although no broker answers")
		}
	}
	if _, _, now := q.state(); now > claims+1 {
		t.Errorf("claimed %d times while Kafka was away", now-claims)
	}
	if errors, warnings := journal.count("ERROR"), journal.count("WARN"); errors != 1 || warnings > 0 {
		t.Errorf("%d errors and %d warnings, want one: %s", errors, warnings, journal)
	}
	b.away(false)
	eventually(t, "all are done", q.isEmpty)
	eventually(t, "the room knows", func() bool { return room.Backlog() == outbox.Backlog{} })
	wantOrdered(t, b.read(t, b.cfg.Topic, 120), 3, 40)
	if n := strings.Count(journal.String(), "kafka is usable again"); n != 1 {
		t.Errorf("told %d times that Kafka is back: %s", n, journal)
	}
}

// TestTheRoomKnowsWhatWaitsBeforeKafkaWasEverThere has a relay that starts without a broker.
func TestTheRoomKnowsWhatWaitsBeforeKafkaWasEverThere(t *testing.T) {
	t.Parallel()
	b, q, room := newBroker(t), &queue{}, outbox.NewRoom(3)
	b.away(true)
	q.add(message("a", 1), message("a", 2))
	relay, err := NewRelay(q, b.cfg, "/thing", telling(t, quiet(t)), WithRoom(room))
	if err != nil {
		t.Fatal(err)
	}
	start(t, relay.Run)
	eventually(t, "the room knows", func() bool { return room.Backlog().Count == 2 })
	if got := room.Backlog().Oldest; !got.Equal(message("a", 1).Time) {
		t.Errorf("the oldest is of %v", got)
	}
}

// TestATroubleIsToldOnce has a store that fails again and again.
func TestATroubleIsToldOnce(t *testing.T) {
	t.Parallel()
	b, q, journal := newBroker(t), &queue{claimFails: 5, lookFails: 5}, &journalled{}
	relay, err := NewRelay(q, b.cfg, "/thing", telling(t, journal.logger()))
	if err != nil {
		t.Fatal(err)
	}
	relay.poll = time.Millisecond
	start(t, relay.Run)
	q.add(message("a", 1))
	eventually(t, "the message is done", q.isEmpty)
	for _, line := range []string{"outbox is not published", "outbox is published again", "outbox is not counted", "outbox is counted again"} {
		eventually(t, "the log says: "+line, func() bool { return journal.has(line) })
		if n := strings.Count(journal.String(), line); n != 1 {
			t.Errorf("%q is told %d times", line, n)
		}
	}
}
