package issuer

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// login is an authorization request that waits for its person, and, once session has a user, for its answer.
type login struct {
	id      string
	asked   *oidc.AuthRequest
	session session
}

// redeem is what an authorization code is good for.
type redeem struct {
	session                session
	redirectURI, challenge string
}

var _ op.AuthRequest = login{}

func (l login) GetID() string                         { return l.id }
func (l login) GetACR() string                        { return "" }
func (l login) GetAMR() []string                      { return nil }
func (l login) GetAudience() []string                 { return nil }
func (l login) GetAuthTime() time.Time                { return l.session.since }
func (l login) GetClientID() string                   { return l.asked.ClientID }
func (l login) GetCodeChallenge() *oidc.CodeChallenge { return nil } // redeem has it
func (l login) GetNonce() string                      { return l.asked.Nonce }
func (l login) GetRedirectURI() string                { return l.asked.RedirectURI }
func (l login) GetResponseType() oidc.ResponseType    { return l.asked.ResponseType }
func (l login) GetResponseMode() oidc.ResponseMode    { return l.asked.ResponseMode }
func (l login) GetScopes() []string                   { return l.asked.Scopes }
func (l login) GetState() string                      { return l.asked.State }
func (l login) GetSubject() string                    { return "" }
func (l login) Done() bool                            { return l.session.user != nil }

// authorize is the authorization endpoint: a valid request is sent on to the login page.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	op.Authorize(w, r, authorizer{Provider: i.provider, issuer: i})
}

// authorizer puts Keycloak's rules in place of the library's.
type authorizer struct {
	*op.Provider
	issuer *Issuer
}

var _ op.AuthorizeValidator = authorizer{}

// ValidateAuthRequest says why a request can't be followed. Until the redirect URI is known to be the client's own, the
// error is shown here and not sent there.
func (a authorizer) ValidateAuthRequest(
	_ context.Context, asked *oidc.AuthRequest, _ op.Storage, _ *op.IDTokenHintVerifier,
) (string, error) {
	c, ok := a.issuer.realm.clients[asked.ClientID]
	switch {
	case !ok || !c.enabled:
		return "", oidc.ErrInvalidRequestRedirectURI().WithDescription("Client not found")
	case !allowsRedirect(c.redirects, asked.RedirectURI):
		return "", oidc.ErrInvalidRequestRedirectURI().WithDescription("Invalid parameter: redirect_uri")
	case !c.standard:
		return "", oidc.ErrUnauthorizedClient().WithDescription("Client is not allowed to use the standard flow")
	case asked.ResponseType != oidc.ResponseTypeCode:
		return "", oidc.ErrUnauthorizedClient().WithDescription("Only response_type code is supported")
	case asked.CodeChallenge == "" && (c.public || c.s256):
		return "", oidc.ErrInvalidRequest().WithDescription("Missing parameter: code_challenge")
	case asked.CodeChallenge != "" && asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return "", oidc.ErrInvalidRequest().WithDescription("Invalid parameter: code_challenge_method must be S256")
	case slices.Contains(asked.Prompt, oidc.PromptNone):
		return "", oidc.ErrLoginRequired() // nobody stays signed in here
	}
	if _, ok := c.grant(asked.Scopes); !ok {
		return "", oidc.ErrInvalidScope().WithDescription("Invalid scopes")
	}
	return "", nil
}
