package attack

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/meshtest"
)

var rs256 = jwt.SigningMethodRS256

// algorithms are tokens without a signature worth its name (RFC 8725, sections 2.1 and 3.1).
func (a *arsenal) algorithms() []Attack {
	parts := strings.Split(a.good(), ".")
	claims, signed := parts[1], parts[2]
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	none := a.sign(jwt.SigningMethodNone, nil, jwt.UnsafeAllowNoneSignatureType)
	all := []Attack{
		bearer("algorithm: none", none, signature),
		bearer("algorithm: none, with a signature", none+signed, signature),
		bearer("algorithm: missing", header(`{"typ":"JWT"}`)+"."+claims+"."+signed, signature),
		bearer("algorithm: a number", header(`{"alg":256}`)+"."+claims+"."+signed, signature),
		bearer("algorithm: twice", header(`{"alg":"RS256","alg":"none"}`)+"."+claims+".", signature),
	}
	for _, name := range []string{"None", "NONE", "nOnE", "", "RS1", "rs256", "ES256K", "A256KW", "RSA-OAEP"} {
		token := header(`{"alg":"`+name+`","kid":"`+a.key.ID+`"}`) + "." + claims + "." + signed
		all = append(all, bearer("algorithm: "+name+" unknown", token, signature))
	}
	return all
}

// confusedKeys are tokens that are checked with the wrong sort of key if the token may choose (RFC 8725, section 2.1).
func (a *arsenal) confusedKeys() []Attack {
	public := &a.key.Private.PublicKey
	der, _ := x509.MarshalPKIXPublicKey(public)   // an RSA key always can be
	jwk, _ := json.Marshal(a.published(a.key.ID)) // neither can this fail
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	shared := func(method jwt.SigningMethod, secret []byte) string { return a.sign(method, nil, secret) }
	return []Attack{
		bearer("confusion: HS256 with the public key, DER", shared(jwt.SigningMethodHS256, der), signature),
		bearer("confusion: HS256 with the public key, PKCS 1", shared(jwt.SigningMethodHS256, x509.MarshalPKCS1PublicKey(public)), signature),
		bearer("confusion: HS256 with the public key, PEM", shared(jwt.SigningMethodHS256, block), signature),
		bearer("confusion: HS256 with the public key, JWK", shared(jwt.SigningMethodHS256, jwk), signature),
		bearer("confusion: HS256 with the modulus", shared(jwt.SigningMethodHS256, public.N.Bytes()), signature),
		bearer("confusion: HS384 with the public key", shared(jwt.SigningMethodHS384, block), signature),
		bearer("confusion: HS512 with the public key", shared(jwt.SigningMethodHS512, block), signature),
		bearer("confusion: HS256 with an empty secret", shared(jwt.SigningMethodHS256, []byte{}), signature),
		bearer("confusion: ES256 under the id of an RSA key", a.sign(jwt.SigningMethodES256, nil, a.curve), signature),
		bearer("confusion: EdDSA under the id of an RSA key", a.sign(jwt.SigningMethodEdDSA, nil, a.ed), signature),
		bearer("confusion: PS256 by a key for RS256", a.sign(jwt.SigningMethodPS256, nil, a.key.Private), signature),
		bearer("confusion: RS384 by a key for RS256", a.sign(jwt.SigningMethodRS384, nil, a.key.Private), signature),
		bearer("confusion: RS512 by a key for RS256", a.sign(jwt.SigningMethodRS512, nil, a.key.Private), signature),
	}
}

func (a *arsenal) published(id string) map[string]string {
	return meshtest.JWK(id, &a.key.Private.PublicKey)
}

// keys are tokens signed by the attacker that say where to find the key.
func (a *arsenal) keys(t testing.TB) []Attack {
	own := func(header map[string]any) string { return a.sign(rs256, header, a.own) }
	jwk, certificate := meshtest.JWK(a.key.ID, &a.own.PublicKey), a.certificate(t)
	all := []Attack{
		bearer("key: the attacker's, under the id of the issuer's", own(nil), signature),
		bearer("key: the attacker's, without an id", own(map[string]any{"kid": nil}), signature),
		bearer("key: id is a number", own(map[string]any{"kid": 1}), unknownKey),
		bearer("key: id is a list", own(map[string]any{"kid": []string{a.key.ID}}), unknownKey),
		bearer("key: jwk", own(map[string]any{"jwk": jwk}), signature),
		bearer("key: jwk, without an id", own(map[string]any{"jwk": jwk, "kid": nil}), signature),
		bearer("key: jku", own(map[string]any{"jku": a.bait}), signature),
		bearer("key: jku, with another id", own(map[string]any{"jku": a.bait, "kid": "other"}), unknownKey),
		bearer("key: x5u", own(map[string]any{"x5u": a.bait}), signature),
		bearer("key: x5c", own(map[string]any{"x5c": []string{certificate}}), signature),
		bearer("key: x5c, without an id", own(map[string]any{"x5c": []string{certificate}, "kid": nil}), signature),
		bearer("key: everything, with another id", own(map[string]any{
			"jwk": jwk, "jku": a.bait, "x5u": a.bait, "x5c": []string{certificate}, "kid": "other",
		}), unknownKey),
	}
	for name, id := range map[string]string{
		"unknown": "other", "empty": "", "a path": "../../../dev/null", "SQL": "' OR '1'='1", "an address": a.bait,
		"a template": "${jndi:ldap://127.0.0.1/x}", "long": strings.Repeat("k", 4096), "with a zero": a.key.ID + "\x00", "with a space": a.key.ID + " ",
	} {
		all = append(all, bearer("key: id is "+name, own(map[string]any{"kid": id}), unknownKey))
	}
	return all
}

// certificate is one that the attacker made for his own key.
func (a *arsenal) certificate(t testing.TB) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "EventProspect"}, NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.own.PublicKey, a.own)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// extensions are tokens of the issuer whose header asks for more than we know, or belongs to another sort of token.
func (a *arsenal) extensions() []Attack {
	signed := func(header map[string]any) string { return a.sign(rs256, header, a.key.Private) }
	return []Attack{
		bearer("extension: crit", signed(map[string]any{"crit": []string{"exp"}, "exp": 1}), extension),
		bearer("extension: crit, empty", signed(map[string]any{"crit": []string{}}), extension),
		bearer("extension: crit b64", signed(map[string]any{"crit": []string{"b64"}, "b64": true}), extension),
		bearer("extension: b64", signed(map[string]any{"b64": false}), extension),
		bearer("extension: typ of a logout token", signed(map[string]any{"typ": "logout+jwt"}), notAccess),
		bearer("extension: typ of a DPoP proof", signed(map[string]any{"typ": "dpop+jwt"}), notAccess),
		bearer("extension: typ is a number", signed(map[string]any{"typ": 1}), notAccess),
	}
}
