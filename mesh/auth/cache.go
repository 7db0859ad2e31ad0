package auth

import (
	"crypto/sha256"
	"time"

	"github.com/maypok86/otter/v2"
)

// digest stands for a token. The cache holds no tokens: who reads its memory can't call with them.
type digest [sha256.Size]byte

// verified is what a good token said, for as long as that holds.
type verified struct {
	identity Identity
	// until is the token's end, with the leeway.
	until time.Time
	// generation is that of the keys which verified it.
	generation uint64
}

// cache remembers good tokens, and no others: strangers can't fill it. Its size is bounded; what is used least goes first.
type cache struct {
	entries *otter.Cache[digest, verified]
}

// newCache makes a cache of at most this many tokens, about 0.5 kB each; nil, which remembers nothing, if there are none.
func newCache(size int) (*cache, error) {
	if size == 0 {
		return nil, nil
	}
	entries, err := otter.New(&otter.Options[digest, verified]{MaximumSize: size})
	if err != nil {
		return nil, err
	}
	return &cache{entries}, nil
}

// get gives whom the token speaks for, if it is remembered, hasn't ended, and was verified with the keys of today.
func (c *cache) get(token digest, generation uint64, now time.Time) (Identity, bool) {
	if c == nil {
		return Identity{}, false
	}
	entry, ok := c.entries.GetIfPresent(token)
	if !ok || entry.generation != generation || !now.Before(entry.until) {
		return Identity{}, false
	}
	return entry.identity, true
}

func (c *cache) put(token digest, entry verified) {
	if c != nil {
		c.entries.Set(token, entry)
	}
}
