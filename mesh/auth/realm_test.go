package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/auth"
)

const audience = "event-prospect-api"

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// Keys take long to make, so all tests share these.
var (
	firstKey  = sync.OnceValue(newRSA)
	secondKey = sync.OnceValue(newRSA)
	curveKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	edKey     = sync.OnceValue(func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	})
)

func newRSA() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// realm is an issuer whose keys and state a test can change, and which counts what it is asked.
type realm struct {
	url        string
	down       atomic.Bool
	keyReads   atomic.Int32
	tokenReads atomic.Int32

	mu   sync.Mutex
	keys map[string]crypto.PublicKey
}

func newRealm(t testing.TB) *realm {
	t.Helper()
	r := &realm{keys: map[string]crypto.PublicKey{"first": firstKey().Public()}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /protocol/openid-connect/certs", func(w http.ResponseWriter, _ *http.Request) {
		r.keyReads.Add(1)
		r.answer(w, r.jwks())
	})
	mux.HandleFunc("POST /protocol/openid-connect/token", func(w http.ResponseWriter, _ *http.Request) {
		r.tokenReads.Add(1)
		r.answer(w, map[string]any{"access_token": "own-token", "token_type": "Bearer", "expires_in": 300})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// answer answers, or drops the connection as a host does that is away.
func (r *realm) answer(w http.ResponseWriter, value any) {
	if r.down.Load() {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (r *realm) add(kid string, key crypto.PublicKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[kid] = key
}

func (r *realm) jwks() jwkset.JWKSMarshal {
	r.mu.Lock()
	defer r.mu.Unlock()
	var set jwkset.JWKSMarshal
	for kid, key := range r.keys {
		set.Keys = append(set.Keys, jwk(kid, key).Marshal())
	}
	return set
}

func jwk(kid string, key crypto.PublicKey) jwkset.JWK {
	return must(jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: kid, USE: jwkset.UseSig}}))
}

func (r *realm) config() auth.Config {
	return auth.Config{Issuer: r.url, Audience: audience, CacheSize: 100, ClientID: "event", ClientSecret: "s3cr3t"}
}

// verifier makes a verifier that has read the realm's keys.
func (r *realm) verifier(t testing.TB) *auth.Verifier {
	t.Helper()
	return r.verifierOf(t, r.config())
}

func (r *realm) verifierOf(t testing.TB, cfg auth.Config) *auth.Verifier {
	t.Helper()
	v := newVerifier(t, cfg)
	eventually(t, "the keys are read", func() bool { return v.Ready(t.Context()) })
	return v
}

func newVerifier(t testing.TB, cfg auth.Config) *auth.Verifier {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	v, err := auth.NewVerifier(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// claims are those of a good token.
func (r *realm) claims() jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": r.url, "aud": audience, "sub": "somebody", "azp": "web", "typ": "Bearer", "iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix(), "realm_access": map[string]any{"roles": []string{"reader", "editor"}},
	}
}

// with gives the claims of a good token with some changed; nil takes one away.
func (r *realm) with(changes jwt.MapClaims) jwt.MapClaims {
	claims := r.claims()
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

// sign signs with the key of the realm.
func sign(claims jwt.MapClaims) string {
	return signAs(jwt.SigningMethodRS256, map[string]any{"kid": "first"}, claims, firstKey())
}

func signAs(method jwt.SigningMethod, header map[string]any, claims jwt.MapClaims, key any) string {
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	return must(token.SignedString(key))
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}
