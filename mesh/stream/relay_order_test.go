package stream

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// troubled answers the first so many produce requests as trouble says: an answer, or none and an error that cuts the connection.
func (b *broker) troubled(requests int, trouble func(*kmsg.ProduceRequest) (kmsg.Response, error)) {
	b.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if requests == 0 {
			return nil, nil, false
		}
		requests--
		b.KeepControl()
		answer, err := trouble(req.(*kmsg.ProduceRequest))
		return answer, err, true
	})
}

// refusing answers a produce request with this error for the partitions that it is meant for; the others aren't written, and so must
// come again.
func refusing(asked *kmsg.ProduceRequest, code func(partition int32) int16) kmsg.Response {
	answer := asked.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range asked.Topics {
		refused := kmsg.NewProduceResponseTopic()
		refused.Topic, refused.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode = p.Partition, code(p.Partition)
			refused.Partitions = append(refused.Partitions, partition)
		}
		answer.Topics = append(answer.Topics, refused)
	}
	return answer
}

func always(refusal *kerr.Error) func(int32) int16 { return func(int32) int16 { return refusal.Code } }

// TestAKeysOrderSurvivesWhatFails has some requests fail, in each way that there is: a message that is sent again is never
// behind a later one of its key that was sent for the first time.
func TestAKeysOrderSurvivesWhatFails(t *testing.T) {
	t.Parallel()
	troubles := map[string]func(*kmsg.ProduceRequest) (kmsg.Response, error){
		"refused for good": func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
			return refusing(asked, always(kerr.TopicAuthorizationFailed)), nil
		},
		"one partition refused": func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
			return refusing(asked, func(partition int32) int16 {
				if partition == 0 {
					return kerr.TopicAuthorizationFailed.Code
				}
				return kerr.NotEnoughReplicas.Code
			}), nil
		},
		"for now": func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
			return refusing(asked, always(kerr.NotEnoughReplicas)), nil
		},
		"the fate is open": func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
			return refusing(asked, always(kerr.RequestTimedOut)), nil
		},
		"connection closed": func(*kmsg.ProduceRequest) (kmsg.Response, error) { return nil, fmt.Errorf("closed") },
	}
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, q := newBroker(t), &queue{}
			b.troubled(3, trouble)
			addAll(q, 3, 0, 300) // some batches
			start(t, newRelay(t, b, q).Run)
			eventually(t, "all are done", q.isEmpty)
			wantOrdered(t, b.read(t, b.cfg.Topic, 900), 3, 300)
		})
	}
}

// slow is a client's hook that looks long for the partition of the second record: until the first one has failed, if it is sent
// meanwhile.
type slow struct {
	records atomic.Int32
	once    sync.Once
	failed  chan struct{}
}

func (s *slow) partition(*kgo.Record, int) int {
	if s.records.Add(1) == 2 {
		select {
		case <-s.failed:
		case <-time.After(200 * time.Millisecond): // it isn't sent yet
		}
	}
	return 0
}

func (s *slow) OnProduceRecordUnbuffered(_ *kgo.Record, err error) {
	if err != nil {
		s.once.Do(func() { close(s.failed) })
	}
}

// TestAKeysOrderSurvivesTheLookForPartitions refuses the first request of a new client.
func TestAKeysOrderSurvivesTheLookForPartitions(t *testing.T) {
	t.Parallel()
	b, q, s := newBroker(t), &queue{}, &slow{failed: make(chan struct{})}
	b.topics(t)
	b.troubled(1, func(asked *kmsg.ProduceRequest) (kmsg.Response, error) {
		return refusing(asked, always(kerr.TopicAuthorizationFailed)), nil
	})
	addAll(q, 1, 0, 3)
	relay := newRelay(t, b, q)
	find := func(string) func(*kgo.Record, int) int { return s.partition }
	client, err := kgo.NewClient(append(relay.client.Opts(), kgo.WithHooks(s), kgo.RecordPartitioner(kgo.BasicConsistentPartitioner(find)))...)
	if err != nil {
		t.Fatal(err)
	}
	relay.client.Close()
	relay.client, relay.kafka = client, newCluster(client, b.cfg, publishing(b.cfg), relay.log)
	start(t, relay.Run)
	eventually(t, "all are done", q.isEmpty)
	wantOrdered(t, b.read(t, b.cfg.Topic, 3), 1, 3)
}

// TestAKeysOrderSurvivesWhatIsGivenUp has a request that isn't answered until its records are given up: they are sent again, and the
// others, which weren't sent, not before them.
func TestAKeysOrderSurvivesWhatIsGivenUp(t *testing.T) {
	t.Parallel()
	b, q := newBroker(t), &queue{renewFails: 1000}
	asked, release := b.holdProduce()
	addAll(q, 3, 0, 200)
	relay := newRelay(t, b, q)
	relay.lease = leaseOfTests
	start(t, relay.Run)
	<-asked
	eventually(t, "it is claimed again", func() bool { _, _, claims := q.state(); return claims > 1 })
	release()
	eventually(t, "all are done", q.isEmpty)
	wantOrdered(t, b.read(t, b.cfg.Topic, 600), 3, 200)
}
