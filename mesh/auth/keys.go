package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
)

const (
	// refetchEvery is how often tokens with an unknown key id can make us read the keys in vain.
	refetchEvery = 30 * time.Second
	// refreshEvery is how often the keys are read without being asked. With fetchTimeout it is less than the minute in which
	// a key that the issuer removed must be refused.
	refreshEvery = 45 * time.Second
	// firstRetry and maxRetry are the pauses after readings that failed, each twice the one before.
	firstRetry = 100 * time.Millisecond
	maxRetry   = 2 * time.Second
	// fetchTimeout bounds one reading of the keys.
	fetchTimeout = 5 * time.Second
	// maxKeys bounds the size of the realm's keys, in bytes.
	maxKeys = 1 << 20
)

// keys are the realm's public keys as they were last read. One goroutine reads them, so readings never overlap;
// when the issuer is away, the keys last read stay in use.
type keys struct {
	url    string
	client *http.Client
	log    *slog.Logger

	current atomic.Pointer[keySet]
	asks    chan ask
	ended   <-chan struct{}

	// Only the reading goroutine looks at these: how many readings have failed since the last good one, and when a key that was
	// asked for was last looked for in vain.
	failures int
	inVain   time.Time
}

// ask is somebody's wish for the key with this id. The channel is closed when the keys were read, or reading isn't due.
type ask struct {
	id       string
	answered chan struct{}
}

// newKeys reads the keys in the background until the context ends.
func newKeys(ctx context.Context, url string, transport http.RoundTripper, log *slog.Logger) *keys {
	k := &keys{
		url: url, client: &http.Client{Transport: transport, Timeout: fetchTimeout}, log: log,
		asks: make(chan ask), ended: ctx.Done(),
	}
	k.current.Store(&keySet{})
	go k.run(ctx)
	return k
}

// find gives the keys that may have signed a token with this key id, or without one, and this algorithm. If the id is
// unknown, the keys are read again first, unless that was in vain lately; a token with a known id waits for nobody.
func (k *keys) find(ctx context.Context, id string, named bool, algorithm string) (jwt.VerificationKeySet, error) {
	found, err := k.current.Load().find(id, named, algorithm)
	if !named || !errors.Is(err, errUnknownKey) && !errors.Is(err, errNoKeys) {
		return found, err
	}
	if err := k.ask(ctx, id); err != nil {
		return found, err
	}
	return k.current.Load().find(id, named, algorithm)
}

func (k *keys) ask(ctx context.Context, id string) error {
	answered := make(chan struct{})
	select {
	case k.asks <- ask{id, answered}:
	case <-ctx.Done():
		return ctx.Err()
	case <-k.ended:
		return nil
	}
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// known tells whether a key was read.
func (k *keys) known() bool { return len(k.current.Load().keys) > 0 }

func (k *keys) run(ctx context.Context) {
	for ctx.Err() == nil {
		k.read(ctx)
		k.answer(ctx)
	}
}

// answer serves who misses a key until the next reading is due. As long as no key is known the next one is due soon
// anyway, so asking doesn't bring it forward.
func (k *keys) answer(ctx context.Context) {
	timer := time.NewTimer(k.pause())
	defer timer.Stop()
	for {
		select {
		case wish := <-k.asks:
			if k.mayLookFor(wish.id) {
				k.read(ctx)
				timer.Reset(k.pause())
				if !k.current.Load().has(wish.id) {
					k.inVain = time.Now()
				}
			}
			close(wish.answered)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// mayLookFor tells whether the keys are to be read again for this id. Only vain readings are counted: strangers can make as
// many as they like, but only the issuer can make one that finds something.
func (k *keys) mayLookFor(id string) bool {
	return k.known() && !k.current.Load().has(id) && time.Since(k.inVain) >= refetchEvery
}

// pause is how long after the last reading the next one is due.
func (k *keys) pause() time.Duration {
	if k.failures == 0 {
		return refreshEvery
	}
	return min(firstRetry<<min(k.failures-1, 10), maxRetry)
}

// read replaces the keys by those that the issuer has now, if it tells. The log gets the first of several failures, and
// their end.
func (k *keys) read(ctx context.Context) {
	all, err := k.fetch(ctx)
	if err != nil {
		if k.failures++; k.failures == 1 && ctx.Err() == nil {
			k.log.Warn("token keys not read", "error", err)
		}
		return
	}
	if k.failures > 0 {
		k.log.Info("token keys read again", "failures", k.failures)
	}
	k.failures = 0
	k.current.Store(k.current.Load().next(all))
}

func (k *keys) fetch(ctx context.Context) ([]publicKey, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", k.url, response.Status)
	}
	var set jwkset.JWKSMarshal
	if err := json.NewDecoder(io.LimitReader(response.Body, maxKeys)).Decode(&set); err != nil {
		return nil, fmt.Errorf("%s: %w", k.url, err)
	}
	all := signing(set)
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no key to check signatures with", k.url)
	}
	return all, nil
}
