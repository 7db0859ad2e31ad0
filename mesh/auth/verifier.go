package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/fault"
)

const (
	// leeway covers clocks that differ; it applies to exp and nbf (RFC 7519, sections 4.1.4 and 4.1.5).
	leeway = 60 * time.Second
	// maxToken bounds the size of a token, in bytes.
	maxToken = 16 << 10
)

// algorithms are the ones accepted: asymmetric only, so never `none` and never a shared secret (RFC 8725, section 3.1).
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// Verifier checks access tokens of one realm.
type Verifier struct {
	keys    *keys
	keyfunc keyfunc.Keyfunc
	parser  *jwt.Parser
}

// NewVerifier reads the realm's keys in the background until the context ends. It doesn't wait for the issuer: as long as no
// key was read, tokens get Unavailable instead of being called bad.
func NewVerifier(ctx context.Context, cfg Config, log *slog.Logger) (*Verifier, error) {
	keys := newKeys(ctx, cfg.keys(), http.DefaultTransport, log)
	finder, err := keyfunc.New(keyfunc.Options{Ctx: ctx, Storage: keys})
	if err != nil {
		return nil, fmt.Errorf("token keys: %w", err)
	}
	return &Verifier{
		keys:    keys,
		keyfunc: finder,
		parser: jwt.NewParser(
			jwt.WithValidMethods(algorithms),
			jwt.WithIssuer(cfg.Issuer),
			jwt.WithAudience(cfg.Audience),
			jwt.WithExpirationRequired(),
			jwt.WithLeeway(leeway)),
	}, nil
}

// claims are what we read of a Keycloak access token.
type claims struct {
	jwt.RegisteredClaims
	Type        string `json:"typ"`
	Client      string `json:"azp"`
	RealmAccess struct {
		Roles []string `json:"roles"`
	} `json:"realm_access"`
}

// Validate adds to the standard checks that it is an access token (Keycloak's ID and refresh tokens are
// signed by the same realm) and that it is somebody's.
func (c *claims) Validate() error {
	if c.Type != "Bearer" {
		return fmt.Errorf("typ is %q, want Bearer", c.Type)
	}
	if c.Subject == "" {
		return errors.New("sub is missing")
	}
	return nil
}

// Verify tells whom a token speaks for. It fails with Unauthenticated, saying why without repeating the token, and with
// Unavailable while no key of the realm could be read yet.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, fault.New(fault.Unauthenticated, "the token is longer than %d bytes", maxToken)
	}
	var c claims
	_, err := v.parser.ParseWithClaims(token, &c, v.keyfunc.KeyfuncCtx(ctx))
	if err == nil {
		return Identity{Subject: c.Subject, Client: c.Client, Roles: c.RealmAccess.Roles}, nil
	}
	if ctx.Err() != nil {
		return Identity{}, ctx.Err()
	}
	if errors.Is(err, jwt.ErrTokenUnverifiable) && !v.Ready(ctx) {
		return Identity{}, fault.Away("the token issuer", time.Second).Because(err)
	}
	return Identity{}, fault.New(fault.Unauthenticated, "%s", reason(err)).Because(err)
}

// Ready tells whether a key was read.
func (v *Verifier) Ready(ctx context.Context) bool { return v.keys.known(ctx) }

// reason says what is wrong with a token without telling what is in it.
func reason(err error) string {
	reasons := []struct {
		cause error
		text  string
	}{
		{jwt.ErrTokenMalformed, "the token is malformed"},
		{jwt.ErrTokenExpired, "the token has expired"},
		{jwt.ErrTokenNotValidYet, "the token is not valid yet"},
		{jwt.ErrTokenInvalidIssuer, "the token is from another issuer"},
		{jwt.ErrTokenInvalidAudience, "the token is for another audience"},
		{jwt.ErrTokenRequiredClaimMissing, "the token lacks a required claim"},
		{jwt.ErrTokenSignatureInvalid, "the token's signature or algorithm is not accepted"},
		{jwt.ErrTokenUnverifiable, "the token is signed with an unknown key"},
		{jwt.ErrTokenInvalidClaims, "the token is not an access token"},
	}
	for _, r := range reasons {
		if errors.Is(err, r.cause) {
			return r.text
		}
	}
	return "the token is not accepted"
}
