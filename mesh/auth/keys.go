package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/MicahParks/jwkset"
	"golang.org/x/time/rate"
)

const (
	// refetchEvery is how often tokens with an unknown key id can make us read the keys again.
	refetchEvery = 30 * time.Second
	// refreshEvery is how often the keys are read without being asked: a removed key is refused after that.
	refreshEvery = time.Minute
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
	jwkset.Storage

	url    string
	client *http.Client
	log    *slog.Logger
	// asks brings who misses a key; the channel is closed when reading again has been tried, or isn't due.
	asks    chan chan struct{}
	refetch *rate.Limiter
	ended   <-chan struct{}
}

// newKeys reads the keys in the background until the context ends.
func newKeys(ctx context.Context, url string, transport http.RoundTripper, log *slog.Logger) *keys {
	k := &keys{
		Storage: jwkset.NewMemoryStorage(),
		url:     url, client: &http.Client{Transport: transport, Timeout: fetchTimeout}, log: log,
		asks: make(chan chan struct{}), refetch: rate.NewLimiter(rate.Every(refetchEvery), 1), ended: ctx.Done(),
	}
	go k.run(ctx)
	return k
}

// KeyRead gives the key with this id. If it is unknown, the keys are read again first, unless that happened lately.
func (k *keys) KeyRead(ctx context.Context, id string) (jwkset.JWK, error) {
	key, err := k.Storage.KeyRead(ctx, id)
	if !errors.Is(err, jwkset.ErrKeyNotFound) {
		return key, err
	}
	if err := k.ask(ctx); err != nil {
		return key, err
	}
	return k.Storage.KeyRead(ctx, id)
}

func (k *keys) ask(ctx context.Context) error {
	answered := make(chan struct{})
	select {
	case k.asks <- answered:
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
func (k *keys) known(ctx context.Context) bool {
	all, err := k.KeyReadAll(ctx)
	return err == nil && len(all) > 0
}

func (k *keys) run(ctx context.Context) {
	pause := firstRetry / 2
	for ctx.Err() == nil {
		if k.read(ctx) {
			pause = refreshEvery
		} else {
			pause = min(2*pause, maxRetry)
		}
		k.answer(ctx, pause)
	}
}

// answer serves who misses a key until the next reading is due. As long as no key is known the next one is due soon
// anyway, so asking doesn't bring it forward.
func (k *keys) answer(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case answered := <-k.asks:
			if k.known(ctx) && k.refetch.Allow() {
				k.read(ctx)
			}
			close(answered)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// read replaces the keys by those that the issuer has now, and tells whether it could.
func (k *keys) read(ctx context.Context) bool {
	all, err := k.fetch(ctx)
	if err == nil {
		err = k.KeyReplaceAll(ctx, all)
	}
	if err != nil && ctx.Err() == nil {
		k.log.Warn("token keys not read", "error", err)
	}
	return err == nil
}

func (k *keys) fetch(ctx context.Context) ([]jwkset.JWK, error) {
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

// signing leaves out keys for other uses, and those that we don't understand (RFC 7517, section 5).
func signing(set jwkset.JWKSMarshal) []jwkset.JWK {
	var all []jwkset.JWK
	for _, marshal := range set.Keys {
		if marshal.USE != "" && marshal.USE != jwkset.UseSig {
			continue
		}
		if key, err := jwkset.NewJWKFromMarshal(marshal, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{}); err == nil {
			all = append(all, key)
		}
	}
	return all
}
