package rpc

// maxWindow bounds a breaker's window.
const maxWindow = 1000

// window keeps how the last calls ended. It isn't safe for concurrent use.
type window struct {
	failed []bool // a ring
	next   int
	full   bool
}

func newWindow(size int) *window { return &window{failed: make([]bool, size)} }

func (w *window) add(failed bool) {
	w.failed[w.next] = failed
	w.next = (w.next + 1) % len(w.failed)
	w.full = w.full || w.next == 0
}

func (w *window) clear() { w.next, w.full = 0, false }

// failing tells whether at least this share, in percent, of at least so many calls has failed.
func (w *window) failing(minimum, percent int) bool {
	known := w.failed[:w.next]
	if w.full {
		known = w.failed
	}
	failures := 0
	for _, failed := range known {
		if failed {
			failures++
		}
	}
	return len(known) >= minimum && failures*100 >= percent*len(known)
}
