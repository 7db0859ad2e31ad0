package issuer

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestDiscoveryHasKeycloaksLayout(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	a := s.get(".well-known/openid-configuration")
	at := s.issuer.URL() + "/protocol/openid-connect/"
	for key, want := range map[string]string{
		"issuer": s.issuer.URL(), "authorization_endpoint": at + "auth", "token_endpoint": at + "token",
		"introspection_endpoint": at + "token/introspect", "userinfo_endpoint": at + "userinfo", "jwks_uri": at + "certs",
		"end_session_endpoint": at + "logout", "revocation_endpoint": at + "revoke",
	} {
		if a.text(key) != want {
			t.Errorf("%s = %q, want %q", key, a.text(key), want)
		}
	}
	wantClaims(t, a.json, map[string]string{
		"grant_types_supported":            `["authorization_code","refresh_token","client_credentials","password"]`,
		"response_types_supported":         `["code"]`,
		"code_challenge_methods_supported": `["S256"]`,
	})
	if !strings.HasSuffix(s.issuer.URL(), "/realms/EventProspect") {
		t.Errorf("the issuer is %q", s.issuer.URL())
	}
}

func TestCertsShowNoPrivateKey(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal([]byte(s.get(protocol+"certs").body), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("got %v, %v; want one key", set, err)
	}
	wantClaims(t, set.Keys[0], map[string]string{"kty": `"RSA"`, "alg": `"RS256"`, "use": `"sig"`, "d": "null", "p": "null"})
}

func (s *running) userinfo(token string) answer {
	s.t.Helper()
	r := s.request(http.MethodGet, protocol+"userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return s.do(r)
}

func TestUserinfo(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	tokens := s.signIn("ada")
	wantClaims(t, s.userinfo(tokens.text("access_token")).json, map[string]string{
		"sub": `"7a9d1c3e-0000-4000-8000-000000000001"`, "preferred_username": `"ada"`, "name": `"Ada Lovelace"`,
		"email": `"ada@example.org"`, "email_verified": "true", "realm_access": "null",
	})
	for _, kind := range []string{"id_token", "refresh_token"} {
		refused := s.userinfo(tokens.text(kind))
		s.want(refused, http.StatusUnauthorized, "invalid_token: Token verification failed")
		if got := refused.header.Get("WWW-Authenticate"); got != `Bearer error="invalid_token"` {
			t.Errorf("WWW-Authenticate %q", got)
		}
	}
	plain := s.token("grant_type", "password", "client_id", "gateway-cli", "username", "ada", "password", "ada")
	if plain.text("id_token") != "" {
		t.Error("an ID token without the scope openid")
	}
	s.want(s.userinfo(plain.text("access_token")), http.StatusForbidden, "insufficient_scope: Missing openid scope")
}

func (s *running) introspect(token string) answer {
	s.t.Helper()
	return s.post(protocol+"token/introspect", "client_id", "event-service", "client_secret", "event-service", "token", token)
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	tokens := s.signIn("ada")
	good := s.introspect(tokens.text("access_token"))
	wantClaims(t, good.json, map[string]string{
		"active": "true", "username": `"ada"`, "client_id": `"gateway-cli"`, "aud": `["event-prospect-api"]`,
		"realm_access": `{"roles":["editor","reader"]}`, "token_type": `"Bearer"`,
	})
	if good.json["exp"] == nil {
		t.Error("no exp")
	}
	for _, bad := range []string{"", "rubbish", tokens.text("id_token"), tokens.text("refresh_token"), tokens.text("access_token") + "x"} {
		if got := s.introspect(bad).body; got != `{"active":false}`+"\n" {
			t.Errorf("%.20q: %s", bad, got)
		}
	}
	s.want(s.post(protocol+"token/introspect", "client_id", "gateway-cli", "token", "x"), http.StatusForbidden, "access_denied: Client not allowed")
	s.want(s.post(protocol+"token/introspect", "client_id", "event-service", "token", "x"), http.StatusUnauthorized,
		"unauthorized_client: Invalid client or Invalid client credentials")
}

func TestRevokedTokensAreDead(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	tokens := s.signIn("ada")
	foreign := func(token string) {
		s.post(protocol+"revoke", "client_id", "event-service", "client_secret", "event-service", "token", token)
	}
	foreign(tokens.text("access_token"))
	foreign(tokens.text("refresh_token"))
	if s.introspect(tokens.text("access_token")).json["active"] != true {
		t.Error("one client revoked the token of another")
	}
	renew := func(token string) answer {
		return s.token("grant_type", "refresh_token", "client_id", "gateway-cli", "refresh_token", token)
	}
	tokens = renew(tokens.text("refresh_token"))
	s.want(tokens, http.StatusOK, "")
	for _, kind := range []string{"access_token", "refresh_token"} {
		s.want(s.post(protocol+"revoke", "client_id", "gateway-cli", "token", tokens.text(kind)), http.StatusOK, "")
	}
	if s.introspect(tokens.text("access_token")).json["active"] != false {
		t.Error("the revoked access token is active")
	}
	s.want(renew(tokens.text("refresh_token")), http.StatusBadRequest, "invalid_grant: Invalid refresh token")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	one, two, ritas := s.signIn("ada"), s.signIn("ada"), s.signIn("rita")
	renew := func(of answer) int {
		return s.token("grant_type", "refresh_token", "client_id", "gateway-cli", "refresh_token", of.text("refresh_token")).status
	}
	s.want(s.post(protocol+"logout", "client_id", "gateway-cli", "refresh_token", one.text("refresh_token")), http.StatusNoContent, "")
	if renew(one) != http.StatusBadRequest {
		t.Error("the session goes on after logout with its refresh token")
	}
	query := values("id_token_hint", two.text("id_token"), "post_logout_redirect_uri", "http://localhost:8081/bye", "state", "st")
	a := s.get(protocol + "logout?" + query.Encode())
	if got := a.header.Get("Location"); a.status != http.StatusFound || got != "http://localhost:8081/bye?state=st" {
		t.Errorf("got %d to %q", a.status, got)
	}
	if renew(two) != http.StatusBadRequest || renew(ritas) != http.StatusOK {
		t.Error("logout must end ada's sessions, and only hers")
	}
	for name, query := range map[string][]string{
		"foreign redirect":  {"id_token_hint", two.text("id_token"), "post_logout_redirect_uri", "http://evil.example/"},
		"unknown client":    {"post_logout_redirect_uri", "http://localhost:8081/"},
		"hint of no client": {"id_token_hint", "rubbish"},
		"access token":      {"id_token_hint", two.text("access_token")},
	} {
		if a := s.get(protocol + "logout?" + values(query...).Encode()); a.status != http.StatusBadRequest {
			t.Errorf("%s: got %d, want 400", name, a.status)
		}
	}
}

func TestLargeRequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	a := s.token("grant_type", "password", "password", strings.Repeat("x", maxRequest))
	s.want(a, http.StatusRequestEntityTooLarge, "invalid_request: The request is too large")
	a = s.get(ask("nonce", strings.Repeat("x", maxRequest)))
	s.want(a, http.StatusRequestURITooLong, "invalid_request: The request is too large")
}

func TestNothingElseIsServed(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for path, want := range map[string]int{"": 404, "healthz": 404, protocol + "auth/callback": 404, protocol + "auth/device": 404, protocol + "token": 405} {
		if got := s.get(path).status; got != want {
			t.Errorf("%q: got %d, want %d", path, got, want)
		}
	}
}

// TestSecretsAreNotLogged isn't parallel: it looks at the process's log, which the library writes to.
func TestSecretsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(before)
	s := start(t, "")
	tokens := s.signIn("ada")
	s.get(ask("scope", "root")) // something that the library logs
	s.token("grant_type", "password", "client_id", "gateway-cli", "username", "ada", "password", "mistyped-password")
	s.token("grant_type", "client_credentials", "client_id", "event-service", "client_secret", "mistyped-secret")
	s.post(s.get(ask()).header.Get("Location"), "username", "ada", "password", "mistyped-password")
	s.userinfo(tokens.text("id_token"))
	s.get(protocol + "logout?id_token_hint=" + tokens.text("access_token"))
	if log.Len() == 0 {
		t.Fatal("nothing was logged: this test looks at the wrong log")
	}
	for _, secret := range []string{"mistyped", tokens.text("access_token"), tokens.text("id_token"), tokens.text("refresh_token")} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds a secret:\n%s", log.String())
		}
	}
}
