// Package meshtest helps to test processes of the mesh: tokens, running processes, and a registry that holds still.
package meshtest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/auth"
)

// Audience is the audience of every token that an Issuer makes.
const Audience = "event-prospect-api"

const keyID = "test"

// Issuer is a token issuer with Keycloak's addresses for keys and tokens. It gives a service token to whoever asks.
type Issuer struct {
	URL string
	Key *rsa.PrivateKey
	t   testing.TB
}

// NewIssuer starts an issuer on a free port for the time of the test.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &Issuer{Key: key, t: t}
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
	return auth.Config{Issuer: i.URL, Audience: Audience, ClientID: client, ClientSecret: "secret"}
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
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = keyID
	signed, err := token.SignedString(i.Key)
	if err != nil {
		i.t.Fatal(err)
	}
	return signed
}

func (i *Issuer) certs(w http.ResponseWriter, _ *http.Request) {
	encode := base64.RawURLEncoding.EncodeToString
	answer(w, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID,
		"n": encode(i.Key.N.Bytes()), "e": encode(big.NewInt(int64(i.Key.E)).Bytes()),
	}}})
}

func (i *Issuer) token(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"access_token": i.Token("service", "reader"), "token_type": "Bearer", "expires_in": 300})
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
