package deadletter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Lag is how far a group is behind on one partition.
type Lag struct {
	Partition int32
	// Committed is the offset from which the group goes on; -1 if it has committed none, and goes on from the beginning.
	Committed int64
	// End is the offset of the next record to be published.
	End int64
	// Behind is how many offsets the group has before it.
	Behind int64
}

// Lag tells how far a group is behind on each partition of the topic, whether or not it has members now.
func (q *Queue) Lag(ctx context.Context, group string) ([]Lag, error) {
	ranges, err := q.reader.Ranges(ctx, q.topic)
	if err != nil {
		return nil, err
	}
	committed, err := q.admin.FetchOffsets(ctx, group)
	switch {
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return nil, fmt.Errorf("group %s: this user has no right to DESCRIBE it", group)
	case errors.Is(err, kerr.GroupIDNotFound): // nobody has been in it yet
		committed = kadm.OffsetResponses{}
	case err != nil:
		return nil, fmt.Errorf("group %s: %w", group, err)
	}
	var all []Lag
	for _, number := range slices.Sorted(maps.Keys(ranges)) {
		there, at := ranges[number], int64(-1)
		if found, ok := committed.Lookup(q.topic, number); ok {
			if found.Err != nil {
				return nil, fmt.Errorf("group %s, partition %d: %w", group, number, found.Err)
			}
			at = found.At
		}
		all = append(all, Lag{Partition: number, Committed: at, End: there.To, Behind: max(0, there.To-max(at, there.From))})
	}
	return all, nil
}
