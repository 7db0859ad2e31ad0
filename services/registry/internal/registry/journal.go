package registry

import (
	"slices"
	"sort"
)

// maxMarks bounds how far back a journal remembers.
const maxMarks = 1024

// journal remembers which instances changed last, so that who has missed a little is told just that, and wakes who waits for
// more. The registry's lock guards it.
type journal struct {
	marks []mark // by revision
	floor int64  // changes up to this revision are forgotten
	// changed is closed when watches must look again.
	changed chan struct{}
}

// mark says that an instance changed.
type mark struct {
	revision int64
	key      Key
}

func newJournal(revision int64) journal {
	return journal{floor: revision, changed: make(chan struct{})}
}

func (j *journal) note(revision int64, key Key) {
	j.marks = append(j.marks, mark{revision, key})
	if len(j.marks) < 2*maxMarks {
		return
	}
	// All of one revision are forgotten together.
	cut := maxMarks
	for j.marks[cut].revision == j.marks[cut-1].revision && cut < len(j.marks)-1 {
		cut++
	}
	j.floor = j.marks[cut-1].revision
	j.marks = slices.Clone(j.marks[cut:])
}

// restart forgets everything up to a revision.
func (j *journal) restart(revision int64) { j.marks, j.floor = nil, revision }

// last is the revision of the last change that is remembered, or of the last that is forgotten.
func (j *journal) last() int64 {
	if len(j.marks) == 0 {
		return j.floor
	}
	return j.marks[len(j.marks)-1].revision
}

// since gives the instances that changed after a revision, each once, and whether the journal goes back that far.
func (j *journal) since(revision int64) ([]Key, bool) {
	if revision < j.floor {
		return nil, false
	}
	first := sort.Search(len(j.marks), func(i int) bool { return j.marks[i].revision > revision })
	keys := make([]Key, 0, len(j.marks)-first)
	for _, m := range j.marks[first:] {
		keys = append(keys, m.key)
	}
	slices.SortFunc(keys, Key.Compare)
	return slices.Compact(keys), true
}

func (j *journal) wake() {
	close(j.changed)
	j.changed = make(chan struct{})
}
