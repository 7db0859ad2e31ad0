package auth_test

import (
	"context"
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
		"header of RFC 9068":       signAs(jwt.SigningMethodRS256, map[string]any{"kid": "first", "typ": "application/at+JWT"}, r.claims(), firstKey()),
		"embedded key":             signAs(jwt.SigningMethodRS256, map[string]any{"kid": "first", "jwk": jwkHeader()}, r.claims(), firstKey()),
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

// jwkHeader is a key that nobody should believe.
func jwkHeader() any { return jwk("first", secondKey().Public()).Marshal() }

func TestRolesOfTheRealmAndOfClientsAddUp(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	token := sign(r.with(jwt.MapClaims{
		"realm_access": map[string]any{"roles": []string{"reader", "editor", "reader"}},
		"resource_access": map[string]any{
			audience:  map[string]any{"roles": []string{"editor", "auditor"}},
			"web":     map[string]any{"roles": []string{"designer"}},
			"account": map[string]any{"roles": []string{"admin"}},
			"none":    map[string]any{},
		},
	}))
	for name, c := range map[string]struct{ clients, want []string }{
		"the audience's":  {nil, []string{"reader", "editor", "auditor"}},
		"of others":       {[]string{"web"}, []string{"reader", "editor", "designer"}},
		"of several":      {[]string{"web", audience, "web"}, []string{"reader", "editor", "designer", "auditor"}},
		"of none of them": {[]string{"none", "unknown"}, []string{"reader", "editor"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := r.config()
			cfg.RoleClients = c.clients
			got, err := r.verifierOf(t, cfg).Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got.Roles); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestIssuerAliases(t *testing.T) {
	t.Parallel()
	r := newRealm(t)
	cfg := r.config()
	cfg.Issuer, cfg.JWKSURL = "http://localhost:8180/realms/x", r.url+"/protocol/openid-connect/certs"
	cfg.IssuerAliases = []string{"http://keycloak:8080/realms/x"}
	v := r.verifierOf(t, cfg)
	for _, issuer := range append(cfg.IssuerAliases, cfg.Issuer) {
		if _, err := v.Verify(t.Context(), sign(r.with(jwt.MapClaims{"iss": issuer}))); err != nil {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	const both = "want http://localhost:8180/realms/x or http://keycloak:8080/realms/x"
	for found, want := range map[string]string{
		"http://other/realms/x":    "the token is from issuer http://other/realms/x, " + both,
		strings.Repeat("a\n", 300): "the token is from issuer " + strings.Repeat("a?", 100) + "..., " + both,
	} {
		_, err := v.Verify(t.Context(), sign(r.with(jwt.MapClaims{"iss": found})))
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Unauthenticated || f.Message != want {
			t.Errorf("%q: got %v, want %s", found, err, want)
		}
	}
	// Nobody's words are repeated before it is known that they are the realm's.
	forged := signAs(jwt.SigningMethodRS256, map[string]any{"kid": "first"}, r.with(jwt.MapClaims{"iss": "http://evil"}), secondKey())
	if _, err := v.Verify(t.Context(), forged); err == nil || strings.Contains(err.Error(), "evil") {
		t.Errorf("a forged issuer is repeated: %v", err)
	}
}
