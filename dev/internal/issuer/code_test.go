package issuer

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/pkg/oidc"
)

const (
	verifier = "a-verifier-that-is-long-enough-for-RFC-7636-section-4-1"
	back     = "http://127.0.0.1:49152/callback"
)

// ask is a valid authorization request, with changes.
func ask(changes ...string) string {
	query := values("client_id", "gateway-cli", "response_type", "code", "redirect_uri", back, "scope", "openid", "state", "st",
		"nonce", "no", "code_challenge", oidc.NewSHACodeChallenge(verifier), "code_challenge_method", "S256")
	for i := 0; i < len(changes); i += 2 {
		query.Set(changes[i], changes[i+1])
	}
	return protocol + "auth?" + query.Encode()
}

// code signs ada in through the login page.
func (s *running) code() string {
	s.t.Helper()
	asked := s.get(ask())
	if asked.status != http.StatusFound {
		s.t.Fatalf("got %d %s", asked.status, asked.body)
	}
	answered := s.post(asked.header.Get("Location"), "username", "Ada", "password", "ada")
	target, err := url.Parse(answered.header.Get("Location"))
	if err != nil || answered.status != http.StatusFound || !strings.HasPrefix(target.String(), back+"?") {
		s.t.Fatalf("got %d to %q", answered.status, target)
	}
	if got := target.Query().Get("state"); got != "st" {
		s.t.Fatalf("state %q, want st", got)
	}
	return target.Query().Get("code")
}

func (s *running) redeem(code, with, at string) answer {
	s.t.Helper()
	return s.token("grant_type", "authorization_code", "client_id", "gateway-cli", "code", code, "redirect_uri", at, "code_verifier", with)
}

func TestCodeWithPKCESignsIn(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	code := s.code()
	tokens := s.redeem(code, verifier, back)
	s.want(tokens, http.StatusOK, "")
	wantClaims(t, s.claims(tokens.text("access_token")), map[string]string{"preferred_username": `"ada"`, "typ": `"Bearer"`})
	wantClaims(t, s.claims(tokens.text("id_token")), map[string]string{"nonce": `"no"`, "typ": `"ID"`})
	if tokens.text("refresh_token") == "" {
		t.Error("no refresh token; Keycloak gives one without offline_access too")
	}
	s.want(s.redeem(code, verifier, back), http.StatusBadRequest, "invalid_grant: Code not valid")
}

func TestOneWrongTryUsesTheCodeUp(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for name, c := range map[string]struct{ with, at, want string }{
		"wrong verifier":     {"another", back, "invalid_grant: PKCE verification failed: Code mismatch"},
		"no verifier":        {"", back, "invalid_grant: PKCE verification failed: Code mismatch"},
		"wrong redirect URI": {verifier, back + "2", "invalid_grant: Incorrect redirect_uri"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &running{t, s.issuer, s.client}
			code := s.code()
			s.want(s.redeem(code, c.with, c.at), http.StatusBadRequest, c.want)
			s.want(s.redeem(code, verifier, back), http.StatusBadRequest, "invalid_grant: Code not valid")
		})
	}
}

// TestBadAuthorizationRequests: before the client and its redirect URI are known to be good, nothing is sent there.
func TestBadAuthorizationRequests(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for name, c := range map[string]struct {
		change []string
		want   string // the error sent to the client; "" for one that is shown here
	}{
		"unknown client":      {[]string{"client_id", "nobody"}, ""},
		"foreign redirect":    {[]string{"redirect_uri", "http://evil.example/"}, ""},
		"no redirect":         {[]string{"redirect_uri", ""}, ""},
		"no PKCE":             {[]string{"code_challenge", ""}, "invalid_request"},
		"plain PKCE":          {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"PKCE without method": {[]string{"code_challenge_method", ""}, "invalid_request"},
		"implicit flow":       {[]string{"response_type", "id_token token"}, "unauthorized_client"},
		"unknown scope":       {[]string{"scope", "openid root"}, "invalid_scope"},
		"without being asked": {[]string{"prompt", "none"}, "login_required"},
		"no redirects at all": {[]string{"client_id", "event-service"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &running{t, s.issuer, s.client}
			a := s.get(ask(c.change...))
			if c.want == "" {
				if a.status != http.StatusBadRequest || a.header.Get("Location") != "" {
					t.Fatalf("got %d to %q, want 400", a.status, a.header.Get("Location"))
				}
				return
			}
			target := a.header.Get("Location")
			if a.status != http.StatusFound || !strings.HasPrefix(target, back) || !strings.Contains(target, "error="+c.want+"&") {
				t.Fatalf("got %d to %q, want %s there", a.status, target, c.want)
			}
		})
	}
}

func TestLoginPage(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	page := s.get(ask()).header.Get("Location")
	fresh, failed := s.get(page), s.post(page, "username", `"><script>`, "password", "secret-typed-in")
	for _, shown := range []answer{fresh, failed} {
		for _, part := range []string{`<html lang="en">`, `<label for="username">`, `<label for="password">`, `autocomplete="current-password"`} {
			if !strings.Contains(shown.body, part) {
				t.Errorf("the page lacks %s:\n%s", part, shown.body)
			}
		}
		policy := shown.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "form-action 'self' http://127.0.0.1:49152;") {
			t.Errorf("the policy is %q", policy)
		}
	}
	if fresh.status != http.StatusOK || strings.Contains(fresh.body, `role="alert"`) {
		t.Errorf("a fresh page answers %d or shows a problem:\n%s", fresh.status, fresh.body)
	}
	if failed.status != http.StatusUnprocessableEntity || !strings.Contains(failed.body, `role="alert"`) ||
		strings.Contains(failed.body, "secret-typed-in") || strings.Contains(failed.body, "<script>") {
		t.Errorf("the page after a wrong password, with %d:\n%s", failed.status, failed.body)
	}
	if again := s.post(page, "username", "ada", "password", "ada"); again.status != http.StatusFound {
		t.Errorf("the second try got %d, want 302", again.status)
	}
	if used := s.get(page); used.status != http.StatusBadRequest || !strings.Contains(used.body, `role="alert"`) {
		t.Errorf("a used sign-in shows %d:\n%s", used.status, used.body)
	}
}

func TestAllowsRedirect(t *testing.T) {
	t.Parallel()
	registered := []string{"http://localhost:8081/*", "http://127.0.0.1/*", "https://app.example/done", "https://app.example/app/*"}
	for uri, want := range map[string]bool{
		"http://localhost:8081":                 true,
		"http://localhost:8081/docs/x?y=1":      true,
		"http://localhost:8082/":                false,
		"http://evil@localhost:8081/":           false,
		"http://127.0.0.1:1/":                   true,
		"https://127.0.0.1:1/":                  false,
		"http://127.0.0.1:1@evil.example/":      false,
		"http://127.0.0.1.evil.example/":        false,
		"http://localhost:8081/#x":              false,
		"https://app.example/done":              true,
		"https://app.example/done?x=1":          false,
		"https://app.example/done/more":         false,
		"https://app.example/app/x":             true,
		"https://app.example/application":       false,
		"https://app.example/app/../admin":      false,
		"https://app.example/app/%2e%2e/admin":  false,
		"//app.example/done":                    false,
		"http://localhost:8081\\@evil.example/": false,
	} {
		if got := allowsRedirect(registered, uri); got != want {
			t.Errorf("%s: got %v, want %v", uri, got, want)
		}
	}
}
