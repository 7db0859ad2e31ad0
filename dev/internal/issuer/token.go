package issuer

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// tokenAnswer is a token endpoint's yes, with Keycloak's keys.
type tokenAnswer struct {
	AccessToken      string `json:"access_token"`
	ExpiresIn        int    `json:"expires_in"`
	RefreshExpiresIn int    `json:"refresh_expires_in"`
	RefreshToken     string `json:"refresh_token,omitempty"`
	TokenType        string `json:"token_type"`
	IDToken          string `json:"id_token,omitempty"`
	NotBeforePolicy  int    `json:"not-before-policy"`
	Scope            string `json:"scope"`
}

// token is the token endpoint: who is the client, what does it show, then tokens.
func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	c, err := i.authenticate(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	s, err := i.signedIn(c, r.PostForm)
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer, err := i.tokens(r.Context(), s)
	if err != nil {
		refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// signedIn finds the session that the grant of the form amounts to.
func (i *Issuer) signedIn(c *client, form url.Values) (session, error) {
	switch form.Get("grant_type") {
	case "password":
		return i.byPassword(c, form)
	case "authorization_code":
		return i.byCode(c, form)
	case "refresh_token":
		return i.byRefreshToken(c, form)
	case "client_credentials":
		return i.byCredentials(c, form)
	case "":
		return session{}, badRequest("invalid_request", "Missing form parameter: grant_type")
	}
	return session{}, badRequest("unsupported_grant_type", "Unsupported grant_type")
}

func (i *Issuer) byPassword(c *client, form url.Values) (session, error) {
	if !c.direct {
		return session{}, badRequest("unauthorized_client", "Client not allowed for direct access grants")
	}
	who, ok := i.realm.checkPassword(form.Get("username"), form.Get("password"))
	if !ok {
		return session{}, unauthorized("invalid_grant", "Invalid user credentials")
	}
	return c.session(who, strings.Fields(form.Get("scope")), true)
}

// byCode redeems an authorization code. The first attempt uses it up, even one that fails: a code that was shown with
// a wrong verifier has been stolen.
func (i *Issuer) byCode(c *client, form url.Values) (session, error) {
	code, ok := i.codes.take(form.Get("code"))
	switch {
	case !ok || code.session.client != c:
		return session{}, badRequest("invalid_grant", "Code not valid")
	case code.redirectURI != form.Get("redirect_uri"):
		return session{}, badRequest("invalid_grant", "Incorrect redirect_uri")
	case code.challenge != "" && !same(oidc.NewSHACodeChallenge(form.Get("code_verifier")), code.challenge):
		return session{}, badRequest("invalid_grant", "PKCE verification failed: Code mismatch")
	}
	return code.session, nil
}

// byRefreshToken renews a session. A refresh token works once; tokens has the next one.
func (i *Issuer) byRefreshToken(c *client, form url.Values) (session, error) {
	token := form.Get("refresh_token")
	if s, ok := i.refresh.get(token); !ok || s.client != c {
		return session{}, badRequest("invalid_grant", "Invalid refresh token")
	}
	s, ok := i.refresh.take(token)
	if !ok { // somebody was faster
		return session{}, badRequest("invalid_grant", "Invalid refresh token")
	}
	return s, nil
}

func (i *Issuer) byCredentials(c *client, form url.Values) (session, error) {
	switch {
	case c.public:
		return session{}, unauthorized("unauthorized_client", "Public client not allowed to retrieve service account")
	case !c.serviceAccount:
		return session{}, unauthorized("unauthorized_client", "Client not enabled to retrieve service account")
	case !c.account.enabled:
		return session{}, unauthorized("invalid_client", "User is disabled")
	}
	return c.session(c.account, strings.Fields(form.Get("scope")), false)
}

// session is a sign-in of who at this client, now.
func (c *client) session(who *user, scopes []string, renewable bool) (session, error) {
	granted, ok := c.grant(scopes)
	if !ok {
		return session{}, badRequest("invalid_scope", "Invalid scopes")
	}
	return session{user: who, client: c, scopes: granted, since: time.Now(), renewable: renewable}, nil
}

// tokens makes what a session is entitled to: an access token, an ID token if openid was asked for, and a refresh token.
func (i *Issuer) tokens(ctx context.Context, s session) (answer tokenAnswer, err error) {
	c := protocolClient{client: s.client, issuer: i}
	answer = tokenAnswer{TokenType: bearer, ExpiresIn: int(i.realm.tokenLife.Seconds()), Scope: s.scope()}
	answer.AccessToken, _, _, err = op.CreateAccessToken(ctx, accessRequest{s}, op.AccessTokenTypeJWT, i.provider, c, "")
	if err != nil {
		return tokenAnswer{}, err
	}
	if s.has(openID) {
		life, keys := c.IDTokenLifetime(), i.provider.Storage()
		answer.IDToken, err = op.CreateIDToken(ctx, i.url, idRequest{s}, life, answer.AccessToken, "", keys, c)
		if err != nil {
			return tokenAnswer{}, err
		}
	}
	if s.renewable {
		answer.RefreshToken, answer.RefreshExpiresIn = rand.Text(), int(i.realm.idle.Seconds())
		i.refresh.put(answer.RefreshToken, s)
	}
	return answer, nil
}

// same compares secrets in a time that doesn't tell how much of them is right.
func same(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
