package issuer

import (
	"net/url"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// protocolClient shows a client of the realm to the op package.
type protocolClient struct {
	client *client
	issuer *Issuer
}

var _ op.Client = protocolClient{}

// LoginURL is the page that asks for the password; id names the sign-in that waits for it.
func (c protocolClient) LoginURL(id string) string {
	return c.issuer.url + "/" + loginPage + "?" + url.Values{"id": {id}}.Encode()
}

func (c protocolClient) GetID() string                    { return c.client.id }
func (c protocolClient) RedirectURIs() []string           { return c.client.redirects }
func (c protocolClient) PostLogoutRedirectURIs() []string { return c.client.logoutRedirects }
func (c protocolClient) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

func (c protocolClient) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c protocolClient) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (c protocolClient) IDTokenLifetime() time.Duration      { return c.issuer.realm.tokenLife }
func (c protocolClient) ClockSkew() time.Duration            { return 0 }

// ApplicationType and AuthMethod tell public clients from confidential ones.
func (c protocolClient) ApplicationType() op.ApplicationType {
	if c.client.public {
		return op.ApplicationTypeNative
	}
	return op.ApplicationTypeWeb
}

func (c protocolClient) AuthMethod() oidc.AuthMethod {
	if c.client.public {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

// Scopes are settled when the session is made, by client.grant.
func (c protocolClient) IsScopeAllowed(string) bool { return true }

func (c protocolClient) RestrictAdditionalIdTokenScopes() func([]string) []string { return unchanged }

func (c protocolClient) RestrictAdditionalAccessTokenScopes() func([]string) []string {
	return unchanged
}

// IDTokenUserinfoClaimsAssertion: Keycloak's ID tokens carry the profile too.
func (c protocolClient) IDTokenUserinfoClaimsAssertion() bool { return true }

// DevMode allows http redirects; which ones is validateAuthRequest's to say.
func (c protocolClient) DevMode() bool { return true }

func unchanged(scopes []string) []string { return scopes }
