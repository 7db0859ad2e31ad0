package stream

import (
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchPause bounds the pause before Kafka is asked again that gave nothing but errors, which it does at once: for so long a partition that
// can't be fetched may hold up others.
const fetchPause = 500 * time.Millisecond

// troubles are what was told of partitions that can't be fetched; under -1 of all.
type troubles struct {
	cfg Config
	log *slog.Logger
	of  map[int32]reasons
}

// note logs what keeps partitions from being fetched, each reason once, and when they are fetched again. It tells whether all went well,
// or at least something came.
func (t troubles) note(fetches kgo.Fetches) (came bool) {
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			came = true
			t.over(p.Partition)
			t.over(-1)
		}
	})
	failed := fetches.Errors()
	for _, f := range failed {
		t.tell(f)
	}
	return came || len(failed) == 0
}

func (t troubles) tell(f kgo.FetchError) {
	partition := f.Partition
	if f.Topic == "" { // it is the group's
		partition = -1
	}
	if t.of[partition] == nil {
		t.of[partition] = reasons{}
	}
	reason := why(f.Err, t.cfg)
	t.of[partition].tell(t.log.With("partition", partition).Warn, "kafka fetch failed", reason, reason)
}

func (t troubles) over(partition int32) {
	if told := t.of[partition]; len(told) > 0 {
		told.over(t.log.With("partition", partition), "kafka is fetched again")
	}
}
