// Package deadletter is for operators: it reads what stream's consumers put on the DLQ of a topic, puts it back on the topic
// or lays it aside, and tells how far a group is behind. It is no member of any group.
//
// Rights that it needs in Kafka: READ on the DLQ; to replay or discard, WRITE on it, and DELETE if what is handled shall be
// deleted; to replay, WRITE on the topic, and READ to find values that were left out; for the lag, DESCRIBE on the group and the topic.
package deadletter

import (
	"log/slog"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"eventprospect/mesh/stream"
	"eventprospect/mesh/telemetry"
)

// Queue is the DLQ of a topic.
type Queue struct {
	topic, dlq string
	reader     *stream.Reader
	client     *kgo.Client
	admin      *kadm.Client
	traces     *telemetry.Traces
}

// maxBatch is what brokers take by default: the records of other publishers may be as large, but for the header of a replay.
const maxBatch = 1_048_588

// Open makes connections when they are first used. Close it.
func Open(cfg stream.Config, traces *telemetry.Traces, log *slog.Logger) (*Queue, error) {
	reader, err := stream.NewReader(cfg, traces, log)
	if err != nil {
		return nil, err
	}
	client, err := stream.Connect(cfg, traces, log, kgo.ProducerBatchMaxBytes(maxBatch), kgo.RecordPartitioner(partitioner{
		dlq: cfg.DLQ(), byHand: kgo.ManualPartitioner(), byKey: kgo.StickyKeyPartitioner(nil),
	}),
		// Nothing is sent before all of a batch is handed over: else a record could fail while a later one of its key is still to be
		// handed over, and would be sent before it.
		kgo.ManualFlushing(),
	)
	if err != nil {
		reader.Close()
		return nil, err
	}
	return &Queue{topic: cfg.Topic, dlq: cfg.DLQ(), reader: reader, client: client, admin: kadm.NewClient(client), traces: traces}, nil
}

// Close ends the connections.
func (q *Queue) Close() {
	q.client.Close()
	q.reader.Close()
}

// partitioner puts markers where they are told to be, and replayed records where the relay puts them.
type partitioner struct {
	dlq           string
	byHand, byKey kgo.Partitioner
}

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.dlq {
		return p.byHand.ForTopic(topic)
	}
	return p.byKey.ForTopic(topic)
}
