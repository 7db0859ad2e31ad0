package deadletter

import (
	"time"

	"eventprospect/mesh/stream"
)

// Filter says which records are meant. Each field that is set must fit; none set: all.
type Filter struct {
	// Places are where records stand on the DLQ. Not nil but empty: none.
	Places map[Place]bool
	// Reason and Key are those of the record.
	Reason, Key string
	// Original is where the record was.
	Original *Place
	// Since and Until bound when it came to the DLQ; Until is no longer meant.
	Since, Until time.Time
}

func (f Filter) matches(l *Letter) bool {
	switch {
	case f.Places != nil && !f.Places[l.Place],
		f.Reason != "" && f.Reason != l.Reason,
		f.Key != "" && f.Key != string(l.Key),
		f.Original != nil && (l.Original == nil || *f.Original != *l.Original),
		!f.Since.IsZero() && l.Buried.Before(f.Since),
		!f.Until.IsZero() && !l.Buried.Before(f.Until):
		return false
	}
	return true
}

// narrow leaves out of a stretch of a partition what lies before and after all places that are meant.
func (f Filter) narrow(partition int32, stretch stream.Range) stream.Range {
	if f.Places == nil {
		return stretch
	}
	narrow := stream.Range{From: stretch.To, To: stretch.From}
	for p := range f.Places {
		if p.Partition == partition {
			narrow.From, narrow.To = min(narrow.From, p.Offset), max(narrow.To, p.Offset+1)
		}
	}
	return stream.Range{From: max(narrow.From, stretch.From), To: min(narrow.To, stretch.To)}
}
