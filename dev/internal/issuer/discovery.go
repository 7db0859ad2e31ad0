package issuer

import (
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// discovery tells clients where everything is and what is on offer. The library would list what it could do; this lists
// what the issuer does.
func (i *Issuer) discovery(w http.ResponseWriter, r *http.Request) {
	offer := op.CreateDiscoveryConfig(r.Context(), i.provider, i.provider.Storage())
	offer.DeviceAuthorizationEndpoint = ""
	offer.ResponseTypesSupported = []string{string(oidc.ResponseTypeCode)}
	offer.GrantTypesSupported = []oidc.GrantType{
		oidc.GrantTypeCode, oidc.GrantTypeRefreshToken, oidc.GrantTypeClientCredentials, "password",
	}
	methods := []oidc.AuthMethod{oidc.AuthMethodBasic, oidc.AuthMethodPost}
	offer.TokenEndpointAuthMethodsSupported = append(methods, oidc.AuthMethodNone)
	offer.RevocationEndpointAuthMethodsSupported = append(methods, oidc.AuthMethodNone)
	offer.IntrospectionEndpointAuthMethodsSupported = methods
	offer.IntrospectionEndpointAuthSigningAlgValuesSupported = nil
	offer.RevocationEndpointAuthSigningAlgValuesSupported = nil
	defaults, optional := builtinScopes()
	offer.ScopesSupported = append(append([]string{openID}, defaults...), optional...)
	offer.ClaimsSupported = []string{
		"sub", "iss", "aud", "exp", "iat", "auth_time", "azp", "typ", "scope", "realm_access", "resource_access",
		"preferred_username", "name", "given_name", "family_name", "email", "email_verified",
	}
	writeJSON(w, http.StatusOK, offer)
}

// certs publishes the keys that tokens are checked with.
func (i *Issuer) certs(w http.ResponseWriter, r *http.Request) {
	op.Keys(w, r, i.provider.Storage())
}
