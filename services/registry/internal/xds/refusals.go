package xds

import (
	"log/slog"
	"strings"
	"sync"
)

const (
	// maxRefusals bounds how many are remembered.
	maxRefusals = 1000
	// maxRefusal bounds each text of one in the log, in bytes: it is the client's.
	maxRefusal = 500
)

// refusals logs what clients refuse (NACK), each once: a client refuses the same again and again.
type refusals struct {
	log  *slog.Logger
	mu   sync.Mutex
	seen map[refusal]struct{}
}

type refusal struct{ node, typeURL, reason string }

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, seen: map[refusal]struct{}{}}
}

func (r *refusals) note(node, typeURL, reason string) {
	key := refusal{shorten(node), shorten(typeURL), shorten(reason)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.seen[key]; known {
		return
	}
	if len(r.seen) >= maxRefusals {
		clear(r.seen) // better one twice than any not at all
	}
	r.seen[key] = struct{}{}
	r.log.Warn("xds: a client refused resources", "node", key.node, "type", key.typeURL, "reason", key.reason)
}

// shorten gives a copy that doesn't keep the rest in memory.
func shorten(text string) string {
	return strings.Clone(strings.ToValidUTF8(text[:min(len(text), maxRefusal)], ""))
}
