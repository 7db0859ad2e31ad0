package stream

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/outbox"
)

// TestATopicThatTakesLittleAtOnce has a broker refuse what many messages are together, though none of them is too large.
func TestATopicThatTakesLittleAtOnce(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	const most = 10_000
	b.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.KeepControl()
		asked := req.(*kmsg.ProduceRequest)
		for _, topic := range asked.Topics {
			for _, p := range topic.Partitions {
				if len(p.Records) > most {
					return refusing(asked, always(kerr.MessageTooLarge)), nil, true
				}
			}
		}
		return nil, nil, false
	})
	addAll(q, 1, 0, 300)
	start(t, newRelay(t, b, q).Run)
	eventually(t, "all are done", q.isEmpty)
	wantOrdered(t, b.read(t, b.cfg.Topic, 300), 1, 300)
}

// TestAMessageThatIsTooLargeKeepsNoOthersBack has it be the oldest of all, from the start on.
func TestAMessageThatIsTooLargeKeepsNoOthersBack(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{}
	large := message("large", 1)
	large.Payload = make([]byte, 2<<20)
	q.add(large)
	start(t, newRelay(t, b, q).Run)
	for n := 0; n < 30; n += 10 {
		addAll(q, 3, n, n+10)
		eventually(t, "the others are done", func() bool { waiting, _, _ := q.state(); return waiting == 1 })
	}
	wantOrdered(t, b.read(t, b.cfg.Topic, 90), 3, 30)
}

// TestATopicThatIsMadeAnew is published to like the one before it, however many partitions it has.
func TestATopicThatIsMadeAnew(t *testing.T) {
	t.Parallel()
	for _, partitions := range []int32{3, 1} {
		t.Run(fmt.Sprint(partitions), func(t *testing.T) {
			t.Parallel()
			b, q := newBroker(t), &queue{}
			addAll(q, 3, 0, 10)
			start(t, newRelay(t, b, q).Run)
			eventually(t, "all are done", q.isEmpty)
			b.remove(t, b.cfg.Topic)
			addAll(q, 3, 10, 20)
			b.create(t, b.cfg.Topic, partitions)
			eventually(t, "the others are done", q.isEmpty)
			wantOrdered(t, b.read(t, b.cfg.Topic, 30), 3, 10)
		})
	}
}

// TestATopicThatIsMadeAnewIsBegunWithOneMessage, as any whose partitions the client doesn't know.
func TestATopicThatIsMadeAnewIsBegunWithOneMessage(t *testing.T) {
	t.Parallel()
	relay := newRelay(t, newBroker(t), &queue{})
	defer relay.client.Close()
	relay.adapt(1, 1, nil)
	if relay.adapt(relay.batch, 0, fmt.Errorf("refused: %w", kerr.UnknownTopicID)); relay.batch != 1 {
		t.Errorf("the next batch is of %d", relay.batch)
	}
}

// deaf is an outbox that doesn't answer when it is told what is published.
type deaf struct {
	*queue
	told func()
}

func (d deaf) Done(ctx context.Context, published []outbox.Message) error {
	if len(published) == 0 {
		return nil
	}
	d.told()
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second): // no store waits for ever
	}
	return errAway
}

func TestRelayStopsAlthoughTheOutboxHangs(t *testing.T) {
	t.Parallel()
	b, told := newBroker(t), make(chan struct{})
	q := deaf{&queue{}, sync.OnceFunc(func() { close(told) })}
	q.add(message("a", 1))
	relay, err := NewRelay(q, b.cfg, "/thing", telling(t, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, relay.Run)
	<-told
	began := time.Now()
	stop()
	if took := time.Since(began); took > stopPatience+2*time.Second {
		t.Errorf("the stop took %v", took)
	}
}
