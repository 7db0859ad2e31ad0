package auth_test

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
)

func TestVerifyTellsWhomATokenSpeaksFor(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	got, err := r.verifier(t).Verify(t.Context(), sign(r.claims()))
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Identity{Subject: "somebody", Client: "web", Roles: []string{"reader", "editor"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestVerifyAccepts(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	r.add("curve", curveKey().Public())
	r.add("ed", edKey().Public())
	v := r.verifier(t)
	first, none := map[string]any{"kid": "first"}, map[string]any{}
	seconds := func(n int) int64 { return time.Now().Add(time.Duration(n) * time.Second).Unix() }
	for name, token := range map[string]string{
		"RS256":                    sign(r.claims()),
		"PS256":                    signAs(jwt.SigningMethodPS256, first, r.claims(), firstKey()),
		"ES256":                    signAs(jwt.SigningMethodES256, map[string]any{"kid": "curve"}, r.claims(), curveKey()),
		"EdDSA":                    signAs(jwt.SigningMethodEdDSA, map[string]any{"kid": "ed"}, r.claims(), edKey()),
		"no key id":                signAs(jwt.SigningMethodRS256, none, r.claims(), firstKey()),
		"several audiences":        sign(r.with(jwt.MapClaims{"aud": []string{"account", audience}})),
		"expired within leeway":    sign(r.with(jwt.MapClaims{"exp": seconds(-45)})),
		"not yet, within leeway":   sign(r.with(jwt.MapClaims{"nbf": seconds(45)})),
		"no roles and no party":    sign(r.with(jwt.MapClaims{"realm_access": nil, "azp": nil})),
		"claims that nobody reads": sign(r.with(jwt.MapClaims{"scope": "openid", "acr": 1})),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
}

// badToken is a token that must be refused, and part of what the caller is told.
type badToken struct{ token, reason string }

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	v := r.verifier(t)
	for name, bad := range badTokens(r) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := v.Verify(t.Context(), bad.token)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Unauthenticated {
				t.Fatalf("got %v, want Unauthenticated", err)
			}
			if !strings.Contains(f.Message, bad.reason) {
				t.Errorf("message is %q, want %q in it", f.Message, bad.reason)
			}
			for part := range strings.SplitSeq(bad.token, ".") {
				if len(part) > 1 && strings.Contains(err.Error(), part) {
					t.Errorf("the error repeats part of the token: %.200s", err)
				}
			}
		})
	}
}

func badTokens(r *realm) map[string]badToken {
	const aClaim, signature, malformed = "not an access token", "signature or algorithm", "malformed"
	rs256, first := jwt.SigningMethodRS256, map[string]any{"kid": "first"}
	good, publicKey := sign(r.claims()), must(x509.MarshalPKIXPublicKey(firstKey().Public()))
	far := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	with := func(claim string, value any) string { return sign(r.with(jwt.MapClaims{claim: value})) }
	return map[string]badToken{
		"alg none":          {signAs(jwt.SigningMethodNone, first, r.claims(), jwt.UnsafeAllowNoneSignatureType), signature},
		"HS256, public key": {signAs(jwt.SigningMethodHS256, first, r.claims(), publicKey), signature},
		"other key, same kid": {
			signAs(rs256, first, r.claims(), secondKey()), signature,
		},
		"embedded key": {signAs(rs256, map[string]any{"jwk": jwkHeader("first")}, r.claims(), secondKey()), signature},
		"embedded key with kid": {
			signAs(rs256, map[string]any{"jwk": jwkHeader("first"), "kid": "first"}, r.claims(), secondKey()), signature,
		},
		"unknown kid":         {signAs(rs256, map[string]any{"kid": "other"}, r.claims(), secondKey()), "unknown key"},
		"kid is no text":      {signAs(rs256, map[string]any{"kid": 7}, r.claims(), firstKey()), "unknown key"},
		"wrong issuer":        {with("iss", "https://elsewhere.example"), "another issuer"},
		"no issuer":           {with("iss", nil), "required claim"},
		"wrong audience":      {with("aud", "account"), "another audience"},
		"no audience":         {with("aud", nil), "required claim"},
		"expired":             {with("exp", far(-61*time.Second)), "expired"},
		"no exp":              {with("exp", nil), "required claim"},
		"not yet":             {with("nbf", far(2*time.Minute)), "not valid yet"},
		"ID token":            {with("typ", "ID"), aClaim},
		"refresh token":       {with("typ", "Refresh"), aClaim},
		"no typ":              {with("typ", nil), aClaim},
		"no sub":              {with("sub", nil), aClaim},
		"truncated signature": {good[:len(good)-10], signature},
		"truncated":           {good[:strings.LastIndex(good, ".")], malformed},
		"one letter":          {"x", malformed},
		"empty":               {"", malformed},
		"oversized":           {good + strings.Repeat("x", 16<<10), "longer than"},
		"changed claims":      {changedClaims(good, r.with(jwt.MapClaims{"sub": "root"})), signature},
	}
}

// changedClaims gives a token the claims of another, but keeps its signature.
func changedClaims(token string, claims jwt.MapClaims) string {
	parts, other := strings.Split(token, "."), strings.Split(sign(claims), ".")
	return parts[0] + "." + other[1] + "." + parts[2]
}

// jwkHeader is the public key that an attacker would like to be believed.
func jwkHeader(kid string) any { return jwk(kid, secondKey().Public()).Marshal() }

func TestVerifyEndsWithTheCall(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	v := r.verifier(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	token := signAs(jwt.SigningMethodRS256, map[string]any{"kid": "other"}, r.claims(), firstKey())
	if _, err := v.Verify(ctx, token); !errors.Is(err, context.Canceled) || fault.Is(err, fault.Unauthenticated) {
		t.Errorf("got %v, want the context's end", err)
	}
}

func BenchmarkVerifyRS256(b *testing.B) {
	r := newRealm(b)
	v, token := r.verifier(b), sign(r.claims())
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
