package issuer

import (
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
)

func TestPasswordGrantGivesKeycloaksClaims(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	for name, want := range map[string]struct{ sub, roles string }{
		"rita": {"7a9d1c3e-0000-4000-8000-000000000002", `{"roles":["reader"]}`},
		"ada":  {"7a9d1c3e-0000-4000-8000-000000000001", `{"roles":["editor","reader"]}`},
		"root": {"7a9d1c3e-0000-4000-8000-000000000003", `{"roles":["admin","editor","reader"]}`},
	} {
		tokens := s.signIn(name)
		wantClaims(t, s.claims(tokens.text("access_token")), map[string]string{
			"iss": `"` + s.issuer.URL() + `"`, "sub": `"` + want.sub + `"`, "aud": `["event-prospect-api"]`,
			"azp": `"gateway-cli"`, "typ": `"Bearer"`, "scope": `"profile email openid"`,
			"preferred_username": `"` + name + `"`, "email": `"` + name + `@example.org"`, "realm_access": want.roles,
		})
		wantClaims(t, s.claims(tokens.text("id_token")), map[string]string{
			"sub": `"` + want.sub + `"`, "aud": `["gateway-cli"]`, "azp": `"gateway-cli"`, "typ": `"ID"`,
			"preferred_username": `"` + name + `"`, "realm_access": "null",
		})
	}
}

// wantClaims compares claims as JSON; "null" means that there is none.
func wantClaims(t *testing.T, got map[string]any, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if text, _ := json.Marshal(got[key]); string(text) != value {
			t.Errorf("%s = %s, want %s", key, text, value)
		}
	}
}

func TestAccessTokensLiveAsLongAsTheRealmSays(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	tokens := s.signIn("ada")
	claims := s.claims(tokens.text("access_token"))
	if life := claims["exp"].(float64) - claims["iat"].(float64); life < 299 || life > 301 || tokens.json["expires_in"] != 300.0 {
		t.Errorf("the token lives %v s and is said to live %v s, want 300", life, tokens.json["expires_in"])
	}
	if other := s.claims(s.signIn("ada").text("access_token")); other["jti"] == claims["jti"] || claims["jti"] == nil {
		t.Errorf("jti %v and %v, want two different ones", other["jti"], claims["jti"])
	}
	if got := tokens.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q: tokens could be kept by a cache", got)
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	const unknown = "Invalid client or Invalid client credentials"
	for name, c := range map[string]struct {
		form   []string
		status int
		want   string
	}{
		"wrong password":   {[]string{"grant_type", "password", "client_id", "gateway-cli", "username", "ada", "password", "x"}, 401, "invalid_grant: Invalid user credentials"},
		"unknown user":     {[]string{"grant_type", "password", "client_id", "gateway-cli", "username", "eve", "password", "eve"}, 401, "invalid_grant: Invalid user credentials"},
		"service account":  {[]string{"grant_type", "password", "client_id", "gateway-cli", "username", "service-account-event-service", "password", ""}, 401, "invalid_grant: Invalid user credentials"},
		"unknown scope":    {[]string{"grant_type", "password", "client_id", "gateway-cli", "username", "ada", "password", "ada", "scope", "root"}, 400, "invalid_scope: Invalid scopes"},
		"unknown client":   {[]string{"grant_type", "password", "client_id", "nobody", "username", "ada", "password", "ada"}, 401, "invalid_client: " + unknown},
		"no password flow": {[]string{"grant_type", "password", "client_id", "event-service", "client_secret", "event-service", "username", "ada", "password", "ada"}, 400, "unauthorized_client: Client not allowed for direct access grants"},
		"wrong secret":     {[]string{"grant_type", "client_credentials", "client_id", "event-service", "client_secret", "x"}, 401, "unauthorized_client: " + unknown},
		"no secret":        {[]string{"grant_type", "client_credentials", "client_id", "event-service"}, 401, "unauthorized_client: " + unknown},
		"public client":    {[]string{"grant_type", "client_credentials", "client_id", "gateway-cli"}, 401, "unauthorized_client: Public client not allowed to retrieve service account"},
		"no code":          {[]string{"grant_type", "authorization_code", "client_id", "gateway-cli"}, 400, "invalid_grant: Code not valid"},
		"no refresh token": {[]string{"grant_type", "refresh_token", "client_id", "gateway-cli"}, 400, "invalid_grant: Invalid refresh token"},
		"unknown grant":    {[]string{"grant_type", "magic", "client_id", "gateway-cli"}, 400, "unsupported_grant_type: Unsupported grant_type"},
		"no grant":         {[]string{"client_id", "gateway-cli"}, 400, "invalid_request: Missing form parameter: grant_type"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &running{t, s.issuer, s.client}
			s.want(s.token(c.form...), c.status, c.want)
		})
	}
}

func TestServiceAccountsSignInByHeaderAndByForm(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	byForm := s.token("grant_type", "client_credentials", "client_id", "prospect-service", "client_secret", "prospect-service")
	r := s.request(http.MethodPost, protocol+"token", values("grant_type", "client_credentials"))
	r.SetBasicAuth("prospect-service", "prospect-service")
	for _, tokens := range []answer{byForm, s.do(r)} {
		s.want(tokens, http.StatusOK, "")
		if _, ok := tokens.json["refresh_token"]; ok {
			t.Error("a service account got a refresh token")
		}
		wantClaims(t, s.claims(tokens.text("access_token")), map[string]string{
			"sub": `"7a9d1c3e-0000-4000-8000-000000000102"`, "azp": `"prospect-service"`, "aud": `["event-prospect-api"]`, "typ": `"Bearer"`,
			"preferred_username": `"service-account-prospect-service"`, "realm_access": `{"roles":["reader","service"]}`,
		})
	}
	r = s.request(http.MethodPost, protocol+"token", values("grant_type", "client_credentials"))
	r.SetBasicAuth("prospect-service", "wrong")
	s.want(s.do(r), http.StatusUnauthorized, "unauthorized_client: Invalid client or Invalid client credentials")
}

func TestTheOperatorsToolIsAnAdmin(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	tokens := s.token("grant_type", "client_credentials", "client_id", "meshctl", "client_secret", "meshctl")
	s.want(tokens, http.StatusOK, "")
	wantClaims(t, s.claims(tokens.text("access_token")), map[string]string{
		"azp": `"meshctl"`, "aud": `["event-prospect-api"]`, "realm_access": `{"roles":["admin","editor","reader"]}`,
	})
}

func TestRefreshTokensWorkOnce(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	first := s.signIn("ada")
	renew := func(token string) answer {
		return s.token("grant_type", "refresh_token", "client_id", "gateway-cli", "refresh_token", token)
	}
	second := renew(first.text("refresh_token"))
	s.want(second, http.StatusOK, "")
	if got := s.claims(second.text("access_token"))["preferred_username"]; got != "ada" {
		t.Errorf("the renewed token is for %v, want ada", got)
	}
	s.want(renew(first.text("refresh_token")), http.StatusBadRequest, "invalid_grant: Invalid refresh token")

	foreign := s.token("grant_type", "refresh_token", "client_id", "event-service", "client_secret", "event-service",
		"refresh_token", second.text("refresh_token"))
	s.want(foreign, http.StatusBadRequest, "invalid_grant: Invalid refresh token")

	var won atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if renew(second.text("refresh_token")).status == http.StatusOK {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 renewed with the same token, want 1", won.Load())
	}
}
