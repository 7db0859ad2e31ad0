package issuer

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

const (
	// bearer is the `typ` of an access token, and the kind of token that the token endpoint gives.
	bearer       = "Bearer"
	invalidToken = "invalid_token"
)

// verify accepts a live access token of this issuer and nothing else: an ID token has the same signature but
// another typ.
func (i *Issuer) verify(ctx context.Context, token string) (*oidc.AccessTokenClaims, *user, error) {
	bad := unauthorized(invalidToken, "Token verification failed")
	claims, err := op.VerifyAccessToken[*oidc.AccessTokenClaims](ctx, token, i.provider.AccessTokenVerifier(ctx))
	if err != nil || claims.Claims["typ"] != bearer {
		return nil, nil, bad
	}
	if _, gone := i.revoked.get(claims.JWTID); gone {
		return nil, nil, bad
	}
	who, ok := i.realm.subject(claims.Subject)
	if !ok {
		return nil, nil, bad
	}
	return claims, who, nil
}

// introspect tells a confidential client what is in an access token (RFC 7662). A token that isn't good is inactive,
// without a reason.
func (i *Issuer) introspect(w http.ResponseWriter, r *http.Request) {
	c, err := i.authenticate(r)
	if err == nil && c.public {
		err = refusal{http.StatusForbidden, "access_denied", "Client not allowed"}
	}
	if err != nil {
		refuse(w, r, err)
		return
	}
	claims, who, err := i.verify(r.Context(), r.PostForm.Get("token"))
	if err != nil {
		writeJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	answer := maps.Clone(claims.Claims)
	answer["active"], answer["client_id"], answer["username"], answer["token_type"] = true, answer["azp"], who.name, bearer
	writeJSON(w, http.StatusOK, answer)
}

// userinfo tells the holder of an access token about its user, as far as the token's scopes go.
func (i *Issuer) userinfo(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), oidc.PrefixBearer)
	if !ok {
		token = r.PostForm.Get("access_token")
	}
	claims, who, err := i.verify(r.Context(), token)
	if err == nil && !slices.Contains(claims.Scopes, openID) {
		err = refusal{http.StatusForbidden, "insufficient_scope", "Missing openid scope"}
	}
	if err != nil {
		refuse(w, r, err)
		return
	}
	answer := session{user: who, scopes: claims.Scopes}.profile()
	answer["sub"] = who.id
	writeJSON(w, http.StatusOK, answer)
}

// revoke ends a token of the client that asks (RFC 7009). Of anything else it says nothing, and does nothing.
func (i *Issuer) revoke(w http.ResponseWriter, r *http.Request) {
	c, err := i.authenticate(r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	token := r.PostForm.Get("token")
	if s, ok := i.refresh.get(token); ok && s.client == c {
		i.refresh.take(token)
	}
	if claims, _, err := i.verify(r.Context(), token); err == nil && claims.ClientID == c.id {
		i.revoked.put(claims.JWTID, struct{}{})
	}
	w.WriteHeader(http.StatusOK)
}
