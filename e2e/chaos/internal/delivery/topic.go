//go:build linux

package delivery

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/proto"

	prospecteventsv1 "eventprospect/gen/prospect/events/v1"
)

// passage is what went over the topic. A message may be there more than once, as whoever publishes may die before noting that it has;
// its first time counts.
type passage struct {
	records, repeats, disorder int

	seen     map[string]bool  // messages, by ce_id
	versions map[string]int64 // the last one of each prospect
}

func newPassage() *passage { return &passage{seen: map[string]bool{}, versions: map[string]int64{}} }

// take takes in the next record of a partition.
func (p *passage) take(record *kgo.Record) error {
	p.records++
	var id string
	for _, h := range record.Headers {
		if h.Key == "ce_id" {
			id = string(h.Value)
		}
	}
	message := &prospecteventsv1.ProspectEvent{}
	if err := proto.Unmarshal(record.Value, message); err != nil {
		return fmt.Errorf("the record at %d of partition %d is no message of a prospect: %w", record.Offset, record.Partition, err)
	}
	if id == "" || id != message.GetId() {
		return fmt.Errorf("the record at %d of partition %d has the ce_id %q and the id %q", record.Offset, record.Partition, id, message.GetId())
	}
	if p.seen[id] {
		p.repeats++
		return nil
	}
	p.seen[id] = true
	key := string(record.Key)
	if message.GetVersion() != p.versions[key]+1 || key != message.GetProspectId() {
		p.disorder++
	}
	p.versions[key] = message.GetVersion()
	return nil
}

// readTopic reads all that is on the topic.
func readTopic(ctx context.Context, admin *kadm.Client, brokers []string) (*passage, error) {
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, err
	}
	starts, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			starts[end.Partition], left[end.Partition] = kgo.NewOffset().AtStart(), end.Offset
		}
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: starts}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	p := newPassage()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		var wrong error
		fetches.EachRecord(func(record *kgo.Record) {
			if err := p.take(record); err != nil {
				wrong = err
			}
			if record.Offset+1 >= left[record.Partition] {
				delete(left, record.Partition)
			}
		})
		if wrong != nil {
			return nil, wrong
		}
	}
	return p, nil
}

// lag is how many records of the topic the group has not settled.
func lag(ctx context.Context, admin *kadm.Client, group string) (int, error) {
	lags, err := admin.Lag(ctx, group)
	if err != nil {
		return 0, err
	}
	if err := lags.Error(); err != nil {
		return 0, err
	}
	return int(lags[group].Lag.Total()), nil
}

// held is how many records a topic has.
func held(ctx context.Context, admin *kadm.Client, topic string) (int, error) {
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return 0, err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return 0, err
	}
	sum := int64(0)
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		sum += end.Offset - start.Offset
	})
	return int(sum), nil
}
