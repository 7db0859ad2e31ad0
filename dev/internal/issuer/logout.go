package issuer

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// logout ends sessions in Keycloak's two ways: a client that sends its refresh token ends that one, and a browser that
// brings an ID token ends all that this user has at this client.
func (i *Issuer) logout(w http.ResponseWriter, r *http.Request) {
	if token := r.PostForm.Get("refresh_token"); token != "" {
		i.endByToken(w, r, token)
		return
	}
	c, err := i.endByHint(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	back := r.Form.Get("post_logout_redirect_uri")
	if back == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("You are signed out.\n"))
		return
	}
	target, err := url.Parse(back)
	if err != nil || c == nil || !allowsRedirect(c.logoutRedirects, back) {
		refuse(w, r, badRequest("invalid_request", "Invalid redirect uri"))
		return
	}
	if state := r.Form.Get("state"); state != "" {
		query := target.Query()
		query.Set("state", state)
		target.RawQuery = query.Encode()
	}
	http.Redirect(w, r, target.String(), http.StatusFound)
}

func (i *Issuer) endByToken(w http.ResponseWriter, r *http.Request, token string) {
	c, err := i.authenticate(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	if s, ok := i.refresh.get(token); !ok || s.client != c {
		refuse(w, r, badRequest("invalid_grant", "Invalid refresh token"))
		return
	}
	i.refresh.take(token)
	w.WriteHeader(http.StatusNoContent)
}

// endByHint ends the sessions that the ID token names, if there is one, and gives the client that the request is for,
// if it says so. An expired ID token will do: it still says who leaves.
func (i *Issuer) endByHint(r *http.Request) (*client, error) {
	hint := r.Form.Get("id_token_hint")
	if hint == "" {
		return i.realm.clients[r.Form.Get("client_id")], nil
	}
	bad := badRequest("invalid_request", "Invalid parameter: id_token_hint")
	claims, err := op.VerifyIDTokenHint[*oidc.IDTokenClaims](r.Context(), hint, i.provider.IDTokenHintVerifier(r.Context()))
	if _, expired := errors.AsType[op.IDTokenHintExpiredError](err); err != nil && !expired {
		return nil, bad
	}
	c, ok := i.realm.clients[claims.AuthorizedParty]
	if !ok || claims.Claims["typ"] != "ID" {
		return nil, bad
	}
	i.refresh.remove(func(s session) bool { return s.client == c && s.user.id == claims.Subject })
	return c, nil
}
