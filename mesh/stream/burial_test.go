package stream

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"eventprospect/mesh/fault"
)

// burying makes a consumer that takes the records of the key x for bad.
func burying(t *testing.T, b *broker, j *journal, log *journalled) *Consumer {
	t.Helper()
	return newToldConsumer(t, b, each(func(ctx context.Context, r *kgo.Record) error {
		if string(r.Key) == "x" {
			return fault.New(fault.Invalid, "bad")
		}
		return j.handle(ctx, r)
	}), log.logger())
}

// TestADLQThatIsAwayHoldsUpNoOtherKey: the client tries for long before it gives a record up.
func TestADLQThatIsAwayHoldsUpNoOtherKey(t *testing.T) {
	t.Parallel()
	b, j, log := newBroker(t), &journal{}, &journalled{}
	b.topics(t)
	b.produce(t, keyed(0, "x1", "a1", "a2", "a3")...)
	b.troubled(1<<30, func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
		return refusing(asked, always(kerr.NotEnoughReplicas)), nil
	})
	start(t, burying(t, b, j, log).Run)
	eventually(t, "another key goes on", func() bool { return j.has("a3") })
	if log.count("WARN") > 0 {
		t.Errorf("only when the client gave up: %s", log)
	}
}

func TestADLQThatTakesNothingIsToldOnceForEachRecord(t *testing.T) {
	t.Parallel()
	b, log := newBroker(t), &journalled{}
	b.topics(t)
	b.produce(t, keyed(0, "x1")...)
	b.troubled(20, func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
		return refusing(asked, always(kerr.TopicAuthorizationFailed)), nil
	})
	start(t, burying(t, b, &journal{}, log).Run)
	eventually(t, "it is on the DLQ", func() bool { return b.committed(t, 0) == 1 })
	if log.count("WARN") != 1 || b.dead(t) != 1 {
		t.Errorf("%d on the DLQ, logged %s", b.dead(t), log)
	}
}
