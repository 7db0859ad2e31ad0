package issuer

import (
	"slices"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// session is one sign-in: who, at which client, with which scopes. It is what a refresh token stands for.
type session struct {
	user   *user
	client *client
	scopes []string
	since  time.Time
	nonce  string
	// renewable sessions get a refresh token. A service account's isn't: it can sign in again at any time.
	renewable bool
}

// GetSubject and GetScopes are what the op package asks of both kinds of token request.
func (s session) GetSubject() string  { return s.user.id }
func (s session) GetScopes() []string { return s.scopes }

// accessRequest asks the op package for an access token. The audience is the APIs that the realm file names.
type accessRequest struct{ session }

var _ op.TokenRequest = accessRequest{}

// GetAudience adds the clients whose roles the token carries, as Keycloak's scope "roles" does.
func (a accessRequest) GetAudience() []string {
	audience := slices.Clone(a.client.audiences)
	if a.has("roles") {
		for id := range a.user.clientRoles {
			if id != a.client.id {
				audience = append(audience, id)
			}
		}
	}
	slices.Sort(audience)
	return slices.Compact(audience)
}

// idRequest asks the op package for an ID token, which is for the client alone.
type idRequest struct{ session }

var _ op.IDTokenRequest = idRequest{}

func (r idRequest) GetAMR() []string       { return nil }
func (r idRequest) GetAudience() []string  { return nil }
func (r idRequest) GetAuthTime() time.Time { return r.since }
func (r idRequest) GetClientID() string    { return r.client.id }

// scope is the `scope` that tokens and answers show. The rest are switches for what a token contains.
func (s session) scope() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(s.scopes), func(scope string) bool {
		return slices.Contains([]string{"web-origins", "acr", "roles", "basic"}, scope)
	}), " ")
}

// accessClaims are the claims of an access token beyond the registered ones.
func (s session) accessClaims() map[string]any {
	claims := s.profile()
	claims["typ"], claims["azp"], claims["scope"] = bearer, s.client.id, s.scope()
	if !s.has("roles") {
		return claims
	}
	if len(s.user.realmRoles) > 0 {
		claims["realm_access"] = roleClaim{s.user.realmRoles}
	}
	if len(s.user.clientRoles) > 0 {
		access := map[string]roleClaim{}
		for id, roles := range s.user.clientRoles {
			access[id] = roleClaim{roles}
		}
		claims["resource_access"] = access
	}
	return claims
}

type roleClaim struct {
	Roles []string `json:"roles"`
}

// idClaims are the claims of an ID token beyond the registered ones. Its typ keeps it from passing as an access token.
func (s session) idClaims() map[string]any {
	claims := s.profile()
	claims["typ"] = "ID"
	if s.nonce != "" {
		claims["nonce"] = s.nonce
	}
	return claims
}

// profile is what the scopes let the client know of the user.
func (s session) profile() map[string]any {
	claims := map[string]any{}
	set := func(key, value string) {
		if value != "" {
			claims[key] = value
		}
	}
	if s.has("profile") {
		set("preferred_username", s.user.name)
		set("given_name", s.user.firstName)
		set("family_name", s.user.lastName)
		set("name", strings.TrimSpace(s.user.firstName+" "+s.user.lastName))
	}
	if s.has("email") {
		set("email", s.user.email)
		claims["email_verified"] = s.user.verified
	}
	return claims
}

func (s session) has(scope string) bool { return slices.Contains(s.scopes, scope) }
