package rpc

import "sync"

// budget bounds the retries of one connection, so that they never become the load: a retry takes one token, a call that
// succeeds gives back a part of one. It begins full.
type budget struct {
	mu     sync.Mutex
	tokens float64
	burst  float64
	ratio  float64
}

func newBudget(calls Calls) *budget {
	return &budget{tokens: float64(calls.RetryBurst), burst: float64(calls.RetryBurst), ratio: calls.RetryRatio}
}

// empty tells whether there is nothing left for a retry.
func (b *budget) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tokens < 1
}

// spend takes what one retry costs, if it is there.
func (b *budget) spend() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// earn notes a call that has succeeded.
func (b *budget) earn() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+b.ratio, b.burst)
}
