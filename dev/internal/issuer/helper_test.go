package issuer

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"eventprospect/dev/stack"
)

// running is an issuer of the project's own realm, with somebody to ask it.
type running struct {
	t      *testing.T
	issuer *Issuer
	client *http.Client // follows no redirect
}

func start(t *testing.T, dir string) *running {
	t.Helper()
	realm, err := ParseRealm(stack.Realm)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, realm, dir)
}

func serve(t *testing.T, realm Realm, dir string) *running {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer, err := New(realm, "http://"+server.Listener.Addr().String(), dir)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = issuer
	server.Start()
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &running{t, issuer, client}
}

// answer is a response, read. JSON is its body as an object, if it is one.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (a answer) text(key string) string { s, _ := a.json[key].(string); return s }

func (s *running) do(r *http.Request) answer {
	s.t.Helper()
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.json)
	return a
}

func (s *running) request(method, path string, form url.Values) *http.Request {
	s.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = s.issuer.URL() + "/" + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (s *running) get(path string) answer {
	s.t.Helper()
	return s.do(s.request(http.MethodGet, path, nil))
}

func (s *running) post(path string, pairs ...string) answer {
	s.t.Helper()
	return s.do(s.request(http.MethodPost, path, values(pairs...)))
}

func values(pairs ...string) url.Values {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func (s *running) token(pairs ...string) answer {
	s.t.Helper()
	return s.post(protocol+"token", pairs...)
}

// signIn gets tokens by the password grant; passwords are the usernames.
func (s *running) signIn(name string) answer {
	s.t.Helper()
	a := s.token("grant_type", "password", "client_id", "gateway-cli", "username", name, "password", name, "scope", "openid")
	s.want(a, http.StatusOK, "")
	return a
}

// want checks the status and, of a refusal, its error and description, written "error: description".
func (s *running) want(a answer, status int, refusal string) {
	s.t.Helper()
	got := ""
	if a.text("error") != "" {
		got = a.text("error") + ": " + a.text("error_description")
	}
	if a.status != status || got != refusal {
		s.t.Fatalf("got %d %q, want %d %q\n%s", a.status, got, status, refusal, a.body)
	}
}

// claims checks a token against the published keys, as any service would, and gives what it says.
func (s *running) claims(token string) map[string]any {
	s.t.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(s.get(protocol+"certs").body), &keys); err != nil {
		s.t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		s.t.Fatal(err)
	}
	var registered jwt.Claims
	claims := map[string]any{}
	if err := parsed.Claims(keys, &registered, &claims); err != nil {
		s.t.Fatal(err)
	}
	if err := registered.Validate(jwt.Expected{Issuer: s.issuer.URL(), Time: time.Now()}); err != nil {
		s.t.Fatal(err)
	}
	return claims
}
