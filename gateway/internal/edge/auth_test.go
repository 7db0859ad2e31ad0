package edge_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"eventprospect/gateway/internal/edge"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/meshtest"
)

func TestBadTokensAreRefusedWithAChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := func(key string, value any) string {
		c := w.issuer.Claims("reader")
		c[key] = value
		return "Bearer " + w.issuer.Sign(c)
	}
	other := meshtest.NewIssuer(t)
	const realm = `Bearer realm="EventProspect"`
	invalid := func(description string) string {
		return realm + `, error="invalid_token", error_description="` + description + `"`
	}
	for name, c := range map[string]struct {
		headers   []string
		challenge string
	}{
		"none":           {nil, realm},
		"basic":          {[]string{"Basic dXNlcjpwYXNz"}, realm},
		"empty":          {[]string{""}, realm},
		"no token":       {[]string{"Bearer "}, invalid("the authorization header must be 'Bearer' and a token")},
		"two":            {[]string{"Bearer " + w.token, "Bearer " + w.token}, invalid("there is more than one authorization header")},
		"nonsense":       {[]string{"Bearer x"}, invalid("the token is malformed")},
		"expired":        {[]string{claims("exp", time.Now().Add(-time.Hour).Unix())}, invalid("the token has expired")},
		"other audience": {[]string{claims("aud", "account")}, invalid("the token is for another audience")},
		"refresh token":  {[]string{claims("typ", "Refresh")}, invalid("the token is not an access token")},
		"other signer":   {[]string{"Bearer " + other.Sign(w.issuer.Claims("reader"))}, invalid("the token's signature or algorithm is not accepted")},
	} {
		got := w.do(request{method: "GET", path: "/events/x", header: http.Header{"Authorization": c.headers}})
		d := got.problem(t, http.StatusUnauthorized, "UNAUTHENTICATED")
		if challenge := got.Header.Get("WWW-Authenticate"); challenge != c.challenge {
			t.Errorf("%s: challenge is %s, want %s", name, challenge, c.challenge)
		}
		if strings.Contains(d.Detail, w.token) {
			t.Errorf("%s: the token is repeated", name)
		}
	}
	ok := w.do(request{method: "GET", path: "/prospects", header: http.Header{"Authorization": {"bearer " + w.token}}})
	if ok.StatusCode != http.StatusOK {
		t.Errorf("a good token gets %d %s", ok.StatusCode, ok.body)
	}
}

func TestAMissingRoleIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.token = w.issuer.Token("reader")
	got := w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`})
	d := got.problem(t, http.StatusForbidden, "ROLE_MISSING")
	if len(d.Roles) != 1 || d.Roles[0] != "editor" || !strings.Contains(d.Detail, "editor") {
		t.Errorf("problem is %s", got.body)
	}
	if c := got.Header.Get("WWW-Authenticate"); !strings.Contains(c, `error="insufficient_scope"`) {
		t.Errorf("challenge is %q", c)
	}
}

func TestWithoutTheIssuersKeysNobodyIsCalledBad(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *edge.Config) {
		away := auth.Config{Issuer: "http://127.0.0.1:1", Audience: meshtest.Audience}
		verifier, err := auth.NewVerifier(context.Background(), away, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Verifier = verifier
	})
	got := w.do(request{method: "GET", path: "/events/x"})
	got.problem(t, http.StatusServiceUnavailable, "UNAVAILABLE")
	if got.Header.Get("Retry-After") != "1" || got.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("headers are %v", got.Header)
	}
}
