package issuer

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// openID is the scope that every client may ask for; it turns an OAuth request into a sign-in.
const openID = "openid"

// builtinScopes are the client scopes that Keycloak makes itself when the export defines none.
func builtinScopes() (defaults, optional []string) {
	return []string{"web-origins", "acr", "profile", "roles", "basic", "email"},
		[]string{"address", "phone", "offline_access", "microprofile-jwt", "organization"}
}

func (e export) addClient(realm Realm, from exportClient) error {
	if from.ClientID == "" {
		return fmt.Errorf("a client has no clientId")
	}
	if _, taken := realm.clients[from.ClientID]; taken {
		return fmt.Errorf("duplicate client %q", from.ClientID)
	}
	made := &client{
		id: from.ClientID, secret: from.Secret, public: from.PublicClient,
		enabled:        (from.Enabled == nil || *from.Enabled) && !from.BearerOnly,
		standard:       from.StandardFlowEnabled == nil || *from.StandardFlowEnabled,
		direct:         from.DirectAccessGrantsEnabled,
		serviceAccount: from.ServiceAccountsEnabled,
		s256:           from.Attributes["pkce.code.challenge.method"] == "S256",
		redirects:      from.RedirectURIs, logoutRedirects: logoutRedirects(from),
		audiences: audiences(from.ProtocolMappers),
	}
	if err := made.check(from.BearerOnly); err != nil {
		return fmt.Errorf("client %q: %w", from.ClientID, err)
	}
	if err := e.addScopes(made, from); err != nil {
		return fmt.Errorf("client %q: %w", from.ClientID, err)
	}
	realm.clients[made.id] = made
	return nil
}

func (c *client) check(bearerOnly bool) error {
	switch {
	case !c.public && !bearerOnly && c.secret == "":
		return fmt.Errorf("it is confidential and has no secret")
	case c.public && c.serviceAccount:
		return fmt.Errorf("a public client can't have a service account")
	}
	for _, uri := range slices.Concat(c.redirects, c.logoutRedirects) {
		if strings.HasPrefix(uri, "/") { // Keycloak's own consoles: a path on its own server, which nothing here serves
			continue
		}
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Host == "" {
			return fmt.Errorf("redirect URI %q is not an absolute URL", uri)
		}
		if strings.Contains(strings.TrimSuffix(uri, "/*"), "*") {
			return fmt.Errorf(`redirect URI %q: a wildcard may only stand at the end, as "/*"`, uri)
		}
	}
	return nil
}

// addScopes sets the scopes of the client and takes over what their mappers do.
func (e export) addScopes(c *client, from exportClient) error {
	defaults, optional := builtinScopes()
	known := map[string][]exportMapper{}
	for _, name := range slices.Concat(defaults, optional) {
		known[name] = nil
	}
	if len(e.ClientScopes) > 0 { // the built-in ones don't exist then
		clear(known)
		for _, scope := range e.ClientScopes {
			known[scope.Name] = scope.ProtocolMappers
		}
	}
	c.defaultScopes, c.optionalScopes = from.DefaultClientScopes, from.OptionalClientScopes
	if from.DefaultClientScopes == nil && from.OptionalClientScopes == nil {
		c.defaultScopes, c.optionalScopes = defaults, optional
	}
	for _, name := range slices.Concat(c.defaultScopes, c.optionalScopes) {
		if _, ok := known[name]; !ok {
			return fmt.Errorf("unknown client scope %q", name)
		}
	}
	for _, name := range c.defaultScopes {
		c.audiences = append(c.audiences, audiences(known[name])...)
	}
	if !slices.Contains(c.defaultScopes, "basic") {
		return fmt.Errorf(`the default client scope "basic" is missing: tokens would have no subject`)
	}
	return nil
}

// audiences are what the mappers add to the `aud` of an access token.
func audiences(mappers []exportMapper) (names []string) {
	for _, m := range mappers {
		if m.ProtocolMapper != "oidc-audience-mapper" || m.Config["access.token.claim"] != "true" {
			continue
		}
		for _, key := range []string{"included.custom.audience", "included.client.audience"} {
			if name := m.Config[key]; name != "" {
				names = append(names, name)
				break
			}
		}
	}
	return names
}

// logoutRedirects reads Keycloak's attribute: a list joined by "##", where "+" stands for the redirect URIs.
func logoutRedirects(from exportClient) (uris []string) {
	for _, uri := range strings.Split(from.Attributes["post.logout.redirect.uris"], "##") {
		switch uri {
		case "":
		case "+":
			uris = append(uris, from.RedirectURIs...)
		default:
			uris = append(uris, uri)
		}
	}
	return uris
}
