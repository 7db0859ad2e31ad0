package deadletter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"eventprospect/mesh/stream"
)

// offsets is a set of offsets of one partition, as stretches in their order with something missing between each two. Records are
// mostly handled in stretches, so that the set stays small however many there are.
type offsets []stream.Range

// add puts a stretch into the set.
func (o offsets) add(more stream.Range) offsets {
	if more.Len() == 0 {
		return o
	}
	// Those from i up to j touch the new one, and become one with it.
	i, _ := slices.BinarySearchFunc(o, more.From, func(r stream.Range, from int64) int { return cmp.Compare(r.To, from) })
	j := i
	for ; j < len(o) && o[j].From <= more.To; j++ {
		more.From, more.To = min(more.From, o[j].From), max(more.To, o[j].To)
	}
	return slices.Replace(o, i, j, more)
}

// one is the stretch of one offset.
func one(offset int64) stream.Range { return stream.Range{From: offset, To: offset + 1} }

// at finds the stretch that holds an offset, or else the next one.
func (o offsets) at(offset int64) (i int, holds bool) {
	i, _ = slices.BinarySearchFunc(o, offset+1, func(r stream.Range, to int64) int { return cmp.Compare(r.To, to) })
	return i, i < len(o) && o[i].From <= offset
}

func (o offsets) has(offset int64) bool { _, holds := o.at(offset); return holds }

// firstWithout gives the first offset of the set that isn't in the other; false if there is none.
func (o offsets) firstWithout(other offsets) (int64, bool) {
	for _, r := range o {
		for offset := r.From; offset < r.To; {
			i, holds := other.at(offset)
			if !holds {
				return offset, true
			}
			offset = other[i].To
		}
	}
	return 0, false
}

// String writes the set as "3-7,9".
func (o offsets) String() string {
	var all []string
	for _, r := range o {
		if r.Len() == 1 {
			all = append(all, strconv.FormatInt(r.From, 10))
			continue
		}
		all = append(all, fmt.Sprintf("%d-%d", r.From, r.To-1))
	}
	return strings.Join(all, ",")
}

// parseOffsets reads what String writes.
func parseOffsets(text string) (offsets, error) {
	var all offsets
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a list of offsets", text)
		}
		to, err := strconv.ParseInt(last, 10, 64)
		if err != nil || from < 0 || to < from || to == math.MaxInt64 {
			return nil, fmt.Errorf("%q is not a list of offsets", text)
		}
		all = all.add(stream.Range{From: from, To: to + 1})
	}
	return all, nil
}
