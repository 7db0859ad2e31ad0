// Package meshtest helps to test processes of the mesh: tokens, running processes, and a registry that holds still.
package meshtest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/auth"
)

// Audience is the audience of every token that an Issuer makes.
const Audience = "event-prospect-api"

// Issuer is a token issuer with Keycloak's addresses for keys and tokens. It gives a service token to whoever asks.
type Issuer struct {
	URL string
	t   testing.TB

	mu sync.Mutex
	// keys are the published ones, the one that signs last; made counts all that there ever were.
	keys []Key
	made int
}

// Key is a key that an Issuer signs with, and its id.
type Key struct {
	ID      string
	Private *rsa.PrivateKey
}

// NewIssuer starts an issuer on a free port for the time of the test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{t: t}
	i.Rotate()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /protocol/openid-connect/certs", i.certs)
	mux.HandleFunc("POST /protocol/openid-connect/token", i.token)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// Config gives the settings of a process that trusts this issuer and acts as client.
func (i *Issuer) Config(client string) auth.Config {
	cfg := auth.Default(client)
	cfg.Issuer, cfg.Audience, cfg.ClientSecret = i.URL, Audience, "secret"
	return cfg
}

// Rotate makes a new key, which signs from now on. The ones before stay published.
func (i *Issuer) Rotate() {
	i.t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		i.t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.made++
	i.keys = append(i.keys, Key{ID: "test-" + strconv.Itoa(i.made), Private: private})
}

// Retire takes back all keys but the one that signs.
func (i *Issuer) Retire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[len(i.keys)-1:]
}

// Key gives the key that signs.
func (i *Issuer) Key() Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[len(i.keys)-1]
}

// Token makes an access token with these roles.
func (i *Issuer) Token(roles ...string) string { return i.Sign(i.Claims(roles...)) }

// Claims gives the claims of a good access token with these roles, for a test to spoil.
func (i *Issuer) Claims(roles ...string) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{
		"iss": i.URL, "aud": Audience, "sub": "7f2c8f60-0000-4000-8000-000000000001", "azp": "test", "typ": "Bearer",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "realm_access": map[string]any{"roles": roles},
	}
}

// Sign makes a token of any claims with the issuer's key.
func (i *Issuer) Sign(claims jwt.MapClaims) string {
	i.t.Helper()
	key := i.Key()
	return i.SignAs(jwt.SigningMethodRS256, map[string]any{"kid": key.ID}, claims, key.Private)
}

// SignAs makes a token of any kind: header adds to the usual one, or takes away what it names with nil.
func (i *Issuer) SignAs(method jwt.SigningMethod, header map[string]any, claims jwt.MapClaims, key any) string {
	i.t.Helper()
	token := jwt.NewWithClaims(method, claims)
	maps.Copy(token.Header, header)
	maps.DeleteFunc(token.Header, func(_ string, value any) bool { return value == nil })
	signed, err := token.SignedString(key)
	if err != nil {
		i.t.Fatal(err)
	}
	return signed
}

func (i *Issuer) certs(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	keys := slices.Clone(i.keys)
	i.mu.Unlock()
	var all []any
	for _, key := range keys {
		all = append(all, JWK(key.ID, &key.Private.PublicKey))
	}
	answer(w, map[string]any{"keys": all})
}

// JWK gives a key as an issuer publishes it (RFC 7518, section 6.3.1).
func JWK(id string, key *rsa.PublicKey) map[string]string {
	encode := base64.RawURLEncoding.EncodeToString
	return map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
		"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}
}

func (i *Issuer) token(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"access_token": i.Token("service", "reader"), "token_type": "Bearer", "expires_in": 300})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
