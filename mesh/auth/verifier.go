package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/fault"
)

const (
	// leeway covers clocks that differ; it applies to exp and nbf (RFC 7519, sections 4.1.4 and 4.1.5).
	leeway = 60 * time.Second
	// maxToken bounds the size of a token, in bytes.
	maxToken = 16 << 10
)

// Verifier checks access tokens of one realm.
type Verifier struct {
	keys    *keys
	cache   *cache
	parser  *jwt.Parser
	issuers []string
	clients []string
}

// NewVerifier reads the realm's keys in the background until the context ends. It doesn't wait for the issuer: as long as no
// key was read, tokens get Unavailable instead of being called bad.
func NewVerifier(ctx context.Context, cfg Config, log *slog.Logger) (*Verifier, error) {
	return newVerifier(ctx, cfg, http.DefaultTransport, log)
}

func newVerifier(ctx context.Context, cfg Config, transport http.RoundTripper, log *slog.Logger) (*Verifier, error) {
	cache, err := newCache(cfg.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("cache_size: %w", err)
	}
	return &Verifier{
		keys:    newKeys(ctx, cfg.keys(), transport, log),
		cache:   cache,
		issuers: cfg.issuers(),
		clients: cfg.roleClients(),
		parser: jwt.NewParser(
			jwt.WithValidMethods(algorithms()),
			jwt.WithStrictDecoding(),
			jwt.WithAudience(cfg.Audience),
			jwt.WithExpirationRequired(),
			jwt.WithLeeway(leeway)),
	}, nil
}

// Verify tells whom a token speaks for. It fails with Unauthenticated, saying why without repeating the token, and with
// Unavailable while no key of the realm could be read yet. The identity's roles may be shared: they must not be changed.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, fault.New(fault.Unauthenticated, "the token is longer than %d bytes", maxToken)
	}
	if !isCompact(token) {
		return Identity{}, refuse(jwt.ErrTokenMalformed)
	}
	// Before the keys are looked for: if they change while the token is verified, what is remembered is of yesterday.
	generation := v.keys.current.Load().generation
	name := digest(sha256.Sum256([]byte(token)))
	if identity, ok := v.cache.get(name, generation, time.Now()); ok {
		return identity, nil
	}
	c, err := v.parse(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	identity := Identity{Subject: c.Subject, Client: c.Client, Roles: c.roles(v.clients)}
	v.cache.put(name, verified{identity: identity, until: c.ExpiresAt.Add(leeway), generation: generation})
	return identity, nil
}

// parse gives the claims of a good token.
func (v *Verifier) parse(ctx context.Context, token string) (*claims, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, func(parsed *jwt.Token) (any, error) {
		return v.keysFor(ctx, parsed)
	})
	switch {
	case err == nil:
		return &c, c.checkIssuer(v.issuers)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errNoKeys):
		return nil, fault.Away("the token issuer", time.Second).Because(err)
	}
	return nil, refuse(err)
}

// keysFor gives the keys that may have signed a token. It knows the token's header alone, and nothing of it is verified.
func (v *Verifier) keysFor(ctx context.Context, token *jwt.Token) (any, error) {
	if err := checkHeader(token.Header); err != nil {
		return nil, err
	}
	value, named := token.Header["kid"]
	id, isText := value.(string)
	if named && !isText {
		return nil, errUnknownKey
	}
	return v.keys.find(ctx, id, named, token.Method.Alg())
}

// Ready tells whether a key was read.
func (v *Verifier) Ready(context.Context) bool { return v.keys.known() }
