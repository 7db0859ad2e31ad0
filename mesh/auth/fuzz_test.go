package auth_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/meshtest/attack"
)

// The ways in which FuzzVerify signs.
const (
	byIssuer = iota
	byAttacker
	byPublicKey
	byNobody
	notAtAll
	ways
)

// FuzzVerify looks for a token that is believed without being a good one of the issuer's, that makes the verifier panic, or
// that comes back in an error. Header and claims are any text, signed for real: so mutations get past the signature. What
// is believed is judged again with nothing but the standard library.
func FuzzVerify(f *testing.F) {
	issuer := meshtest.NewIssuer(f)
	v, own := ready(f, issuer), secondKey()
	const header = `{"alg":"RS256","typ":"JWT","kid":"KID"}`
	const claims = `{"iss":"ISSUER","aud":"event-prospect-api","sub":"s","typ":"Bearer","exp":4102444800,"realm_access":{"roles":["reader"]}}`
	for way := range byte(ways) {
		f.Add(header, claims, way, "")
	}
	for _, other := range []string{
		`{"alg":"none"}`, `{"alg":"HS256","kid":"KID"}`, `{"alg":"RS256","crit":["b64"],"b64":false,"kid":"KID"}`, `{"alg":"PS256"}`, `null`,
		`{"alg":"RS256","jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/","jwk":{"kty":"RSA"}}`, `{"Alg":"RS256"}`,
	} {
		f.Add(other, claims, byte(byIssuer), "")
	}
	for _, other := range []string{
		`{}`, `null`, `[]`, `{"iss":"ISSUER","aud":["event-prospect-api",null],"sub":"s","typ":"Bearer","exp":1e300,"nbf":-1}`,
		`{"iss":"ISSUER","aud":"event-prospect-api","sub":"s","TYP":"Bearer","exp":"4102444800"}`,
	} {
		f.Add(header, other, byte(byIssuer), "")
	}
	f.Fuzz(func(t *testing.T, header, claims string, way byte, tail string) {
		fill := strings.NewReplacer("ISSUER", issuer.URL, "KID", issuer.Key().ID).Replace
		header, claims = fill(header), fill(claims)
		encode := base64.RawURLEncoding.EncodeToString
		token := encode([]byte(header)) + "." + encode([]byte(claims))
		token += signature(token, way%ways, issuer.Key().Private, own) + tail
		_, err := v.Verify(t.Context(), token)
		if err == nil && (way%ways != byIssuer || tail != "" || !isGood(header, claims, issuer.URL)) {
			t.Fatalf("believed: %s %s, signed in way %d, and %q", header, claims, way%ways, tail)
		}
		checkRefusal(t, err, token)
	})
}

// signature signs in one of the ways.
func signature(text string, way byte, issuer, attacker *rsa.PrivateKey) string {
	digest := sha256.Sum256([]byte(text))
	var signed []byte
	switch way {
	case byIssuer:
		signed = must(rsa.SignPKCS1v15(rand.Reader, issuer, crypto.SHA256, digest[:]))
	case byAttacker:
		signed = must(rsa.SignPKCS1v15(rand.Reader, attacker, crypto.SHA256, digest[:]))
	case byPublicKey:
		mac := hmac.New(sha256.New, must(x509.MarshalPKIXPublicKey(&issuer.PublicKey)))
		mac.Write([]byte(text))
		signed = mac.Sum(nil)
	case notAtAll:
		return ""
	}
	return "." + base64.RawURLEncoding.EncodeToString(signed)
}

// isGood judges what the issuer signed.
func isGood(header, claims, issuer string) bool {
	var h, c map[string]any
	if json.Unmarshal([]byte(header), &h) != nil || json.Unmarshal([]byte(claims), &c) != nil {
		return false
	}
	audiences, _ := c["aud"].([]any)
	exp, _ := c["exp"].(float64)
	nbf, _ := c["nbf"].(float64)
	sub, _ := c["sub"].(string)
	now := float64(time.Now().Unix())
	return h["alg"] == "RS256" && h["crit"] == nil && h["b64"] == nil &&
		c["iss"] == issuer && c["typ"] == "Bearer" && sub != "" &&
		(c["aud"] == meshtest.Audience || slices.Contains(audiences, any(meshtest.Audience))) &&
		exp > now-61 && nbf < now+61
}

// FuzzBearer looks for a header that is taken for a bearer token without being one, and for one that is believed.
func FuzzBearer(f *testing.F) {
	issuer := meshtest.NewIssuer(f)
	v := ready(f, issuer)
	for _, a := range attack.Table(f, issuer) {
		f.Add(a.Header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, err := auth.Bearer(header)
		if err == nil {
			if len(header) != len("Bearer ")+len(token) || strings.ContainsAny(token, " \t\r\n,;\"") {
				t.Fatalf("%q is taken for the token %q", header, token)
			}
			_, err = v.Verify(t.Context(), token)
		}
		if err == nil { // this process's issuer has signed nothing that a fuzzer could have
			t.Fatalf("believed: %q", header)
		}
		checkRefusal(t, err, header)
	})
}

func checkRefusal(t *testing.T, err error, text string) {
	t.Helper()
	var refusal *fault.Error
	if err != nil && (!errors.As(err, &refusal) || refusal.Kind != fault.Unauthenticated) {
		t.Fatalf("%q: got %v, want Unauthenticated", text, err)
	}
	if err != nil && repeats(err.Error(), text) {
		t.Fatalf("%q is repeated: %v", text, err)
	}
}
