package stream

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fetched makes what a poll gives, of partitions 0, 1, ... of a topic.
func fetched(topic string, partitions ...kgo.FetchPartition) kgo.Fetches {
	for n := range partitions {
		partitions[n].Partition = int32(n)
	}
	return kgo.Fetches{{Topics: []kgo.FetchTopic{{Topic: topic, Partitions: partitions}}}}
}

// TestAPartitionThatCantBeFetchedHoldsUpNoOther has the others come with its error, or without it.
func TestAPartitionThatCantBeFetchedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	log := &journalled{}
	told := troubles{Config{}, log.logger(), map[int32]reasons{}}
	bad, empty, good := kgo.FetchPartition{Err: kerr.CorruptMessage}, kgo.FetchPartition{}, kgo.FetchPartition{Records: keyed(0, "a1")}
	for range 3 {
		for n, step := range []struct {
			fetches kgo.Fetches
			came    bool
		}{
			{fetched("things", bad, good), true},
			{fetched("things", bad, empty), false},
			{fetched("things", empty, good), true},
			{fetched("things", empty, empty), true},
		} {
			if came := told.note(step.fetches); came != step.came {
				t.Errorf("step %d: %v, want %v", n, came, step.came)
			}
		}
	}
	if log.count("") != 1 || log.count("WARN") != 1 {
		t.Errorf("told more than once: %s", log)
	}
	told.note(fetched("things", good))
	told.note(fetched("things", bad))
	if log.count("INFO") != 1 || log.count("WARN") != 2 {
		t.Errorf("not told that it is over, or comes again: %s", log)
	}
}

// TestATroubleOfTheGroupIsOverWhenAnythingComes, whichever partition it is of.
func TestATroubleOfTheGroupIsOverWhenAnythingComes(t *testing.T) {
	t.Parallel()
	log := &journalled{}
	told := troubles{Config{}, log.logger(), map[int32]reasons{}}
	told.note(fetched("", kgo.FetchPartition{Err: kerr.GroupAuthorizationFailed}))
	told.note(fetched("things", kgo.FetchPartition{}, kgo.FetchPartition{Records: keyed(1, "a1")}))
	if log.count("WARN") != 1 || log.count("INFO") != 1 {
		t.Errorf("told: %s", log)
	}
}
