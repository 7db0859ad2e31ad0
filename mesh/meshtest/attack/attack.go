// Package attack is a table of calls that must be refused wherever a token is taken: by the verifier, by a service over gRPC,
// and by the gateway over REST.
package attack

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

// What callers are told.
const (
	noBearer   = `the authorization header must be "Bearer" and a token`
	malformed  = "the token is malformed"
	signature  = "the token's signature or algorithm is not accepted"
	unknownKey = "the token is signed with an unknown key"
	extension  = "the token's header demands an extension"
	notAccess  = "the token is not an access token"
	missing    = "the token lacks a required claim"
	expired    = "the token has expired"
	notYet     = "the token is not valid yet"
	otherAud   = "the token is for another audience"
	tooLong    = "the token is longer than"
)

// Attack is a call that must be refused.
type Attack struct {
	// Name says what is tried.
	Name string
	// Header is the value of the only Authorization header.
	Header string
	// OtherScheme tells that the header doesn't name the scheme Bearer. Over REST that is answered like no header at all.
	OtherScheme bool
	// Kind is the fault that the caller gets, and Reason is part of its message.
	Kind   fault.Kind
	Reason string
}

// arsenal is what an attacker has: tokens of the issuer, public keys, and keys of his own.
type arsenal struct {
	issuer *meshtest.Issuer
	// key is the issuer's. Only tokens that the issuer itself might make are signed with it.
	key   meshtest.Key
	own   *rsa.PrivateKey
	curve *ecdsa.PrivateKey
	ed    ed25519.PrivateKey
	// bait is where the attacker publishes his own keys.
	bait string
}

// Table makes the attacks on what trusts this issuer. They last as long as the test, and fail it if anybody fetches keys from
// where a token says.
func Table(t testing.TB, issuer *meshtest.Issuer) []Attack {
	t.Helper()
	a := &arsenal{issuer: issuer, key: issuer.Key()}
	var err error
	if a.own, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if a.curve, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, a.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("keys were fetched from where a token said: %s", r.URL)
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{meshtest.JWK(a.key.ID, &a.own.PublicKey)}})
	}))
	t.Cleanup(server.Close)
	a.bait = server.URL
	return slices.Concat(a.headers(), a.forms(), a.algorithms(), a.confusedKeys(), a.keys(t), a.extensions(), a.claims(), a.times())
}

// bearer makes an attack of a token.
func bearer(name, token, reason string) Attack {
	return Attack{Name: name, Header: "Bearer " + token, Kind: fault.Unauthenticated, Reason: reason}
}

// good gives a token that is accepted.
func (a *arsenal) good() string { return a.issuer.Token("admin") }

// with gives a token of the issuer with some claims changed, or taken away by nil.
func (a *arsenal) with(changes jwt.MapClaims) string {
	claims := a.issuer.Claims("admin")
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return a.issuer.Sign(claims)
}

// sign gives a token with good claims and a header that names the issuer's key, changed by header.
func (a *arsenal) sign(method jwt.SigningMethod, header map[string]any, key any) string {
	all := map[string]any{"kid": a.key.ID}
	maps.Copy(all, header)
	return a.issuer.SignAs(method, all, a.issuer.Claims("admin"), key)
}

// unsigned puts a token together out of any text.
func unsigned(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + "."
}
