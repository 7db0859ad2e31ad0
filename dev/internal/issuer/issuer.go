// Package issuer is the development OIDC issuer: Keycloak's URLs, grants and claims for the realm that Keycloak itself
// would import, in one process and with nothing to install.
//
// It is for a laptop and for hermetic tests. Passwords stand in the realm file, and sign-ins and refresh tokens live in
// memory; only the signing keys are kept, so that access tokens survive a restart. What a client of it sees is meant to be
// what Keycloak 26 answers, refusals included.
package issuer

import (
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	// protocol is where Keycloak keeps the OpenID Connect endpoints of a realm.
	protocol = "protocol/openid-connect/"
	// loginPage is where Keycloak keeps the page that asks for the password.
	loginPage = "login-actions/authenticate"

	// maxRequest bounds a body, and a query too: what they hold may be kept until a session ends.
	maxRequest = 16 << 10

	// How long a person may take to sign in, and a client to redeem the code; how many of each are kept at most.
	loginLife, codeLife = 10 * time.Minute, time.Minute
	maxLogins           = 1000
	maxTokens           = 10000
)

// Issuer serves one realm. It is an http.Handler and safe for concurrent use.
type Issuer struct {
	realm    Realm
	url      string
	keys     *keyring
	provider *op.Provider
	handler  http.Handler
	login    *template.Template

	logins  *shelf[login]    // by their id: sign-ins that wait for the password
	codes   *shelf[redeem]   // by authorization code
	refresh *shelf[session]  // by refresh token
	revoked *shelf[struct{}] // by the `jti` of an access token; forgotten when the token is dead anyway
}

// New makes the issuer of a realm. base is the URL under which clients reach it, such as "http://localhost:8180". dir is
// the folder of the signing keys, which is made when it isn't there; with "" the keys die with the process.
func New(realm Realm, base, dir string) (*Issuer, error) {
	if realm.name == "" {
		return nil, errors.New("issuer: no realm: make it with ParseRealm")
	}
	if u, err := url.Parse(base); err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf(`issuer: base %q must be like "http://localhost:8180"`, base)
	}
	keys, err := openKeys(dir)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	i := &Issuer{
		realm: realm, keys: keys,
		url:     strings.TrimRight(base, "/") + "/realms/" + realm.name,
		logins:  newShelf[login](loginLife, maxLogins),
		codes:   newShelf[redeem](codeLife, maxLogins),
		refresh: newShelf[session](realm.idle, maxTokens),
		revoked: newShelf[struct{}](realm.tokenLife, maxTokens),
	}
	if i.login, err = parseLogin(); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if i.provider, err = newProvider(i); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	i.handler = i.routes()
	return i, nil
}

// newProvider sets up the library's side. Its own router isn't used: see routes.
func newProvider(i *Issuer) (*op.Provider, error) {
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	at := func(name string) *op.Endpoint { return op.NewEndpoint(protocol + name) }
	return op.NewProvider(
		&op.Config{CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true},
		storage{issuer: i}, op.StaticIssuer(i.url), op.WithAllowInsecure(),
		// The default also reads codes in an unauthenticated cipher, for history's sake.
		op.WithCrypto(op.NewAES256GCMCrypto(secret, "")),
		op.WithCustomEndpoints(at("auth"), at("token"), at("userinfo"), at("revoke"), at("logout"), at("certs")),
		op.WithCustomIntrospectionEndpoint(at("token/introspect")),
	)
}

// URL is the issuer's name: the `iss` of its tokens, and where discovery starts.
func (i *Issuer) URL() string { return i.url }

// RotateKey makes a new key, which signs from now on. The ones before stay published, so that their tokens stay good.
func (i *Issuer) RotateKey() error { return i.keys.rotate() }

// RetireKeys takes back all keys but the one that signs: the tokens of the others are bad from now on.
func (i *Issuer) RetireKeys() error { return i.keys.retire() }

// ServeHTTP answers one request.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = r.WithContext(op.ContextWithIssuer(r.Context(), i.url))
	if len(r.URL.RawQuery) > maxRequest {
		refuse(w, r, refusal{http.StatusRequestURITooLong, "invalid_request", "The request is too large"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if err := r.ParseForm(); err != nil {
		refuse(w, r, badForm(err))
		return
	}
	i.handler.ServeHTTP(w, r)
}

// routes are all there is. The library's own handlers for tokens, introspection, userinfo, revocation and logout are left
// out: they take an ID token for an access token, keep a code that was shown with a wrong verifier, or answer
// unlike Keycloak.
func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(methods, path string, h http.HandlerFunc) {
		for method := range strings.FieldsSeq(methods) {
			mux.HandleFunc(method+" /realms/"+i.realm.name+"/"+path, h)
		}
	}
	handle("GET", ".well-known/openid-configuration", i.discovery)
	handle("GET", protocol+"certs", i.certs)
	handle("GET POST", protocol+"auth", i.authorize)
	handle("GET", loginPage, i.showLogin)
	handle("POST", loginPage, i.signIn)
	handle("POST", protocol+"token", i.token)
	handle("POST", protocol+"token/introspect", i.introspect)
	handle("GET POST", protocol+"userinfo", i.userinfo)
	handle("POST", protocol+"revoke", i.revoke)
	handle("GET POST", protocol+"logout", i.logout)
	return mux
}
