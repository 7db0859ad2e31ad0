package issuer

import (
	"slices"
	"strings"
	"time"
)

// Realm is what the issuer knows: who may sign in, which clients may ask, and which roles end up in a token. It comes
// from ParseRealm only, and never changes after that.
type Realm struct {
	name string
	// tokenLife is how long an access token is good; idle is how long a refresh token may wait to be used.
	tokenLife, idle time.Duration
	users           map[string]*user // by username in lower case, as Keycloak keeps them
	clients         map[string]*client
}

// user is a person, or the service account of a client.
type user struct {
	id, name, password         string
	enabled, verified          bool
	firstName, lastName, email string
	realmRoles                 []string // composites expanded, sorted
	clientRoles                map[string][]string
	account                    string // the client whose service account this is, or ""
}

// client is an application that asks for tokens.
type client struct {
	id, secret                       string
	enabled, public                  bool
	standard, direct, serviceAccount bool // the flows it may use
	s256                             bool // PKCE with S256 is demanded
	redirects, logoutRedirects       []string
	defaultScopes, optionalScopes    []string
	audiences                        []string
	account                          *user
}

// person finds whoever signs in with this username. Usernames ignore case, as in Keycloak.
func (r Realm) person(username string) (*user, bool) {
	u, ok := r.users[strings.ToLower(username)]
	return u, ok && u.account == ""
}

// subject finds the user that a token's `sub` names.
func (r Realm) subject(id string) (*user, bool) {
	for _, u := range r.users {
		if u.id == id {
			return u, u.enabled
		}
	}
	return nil, false
}

// grant gives the scopes of a token by Keycloak's rules: the client's default scopes always, optional ones when asked
// for. false: something was asked for that the client can't have.
func (c *client) grant(requested []string) ([]string, bool) {
	granted := slices.Clone(c.defaultScopes)
	for _, scope := range requested {
		switch {
		case slices.Contains(granted, scope):
		case scope == openID || slices.Contains(c.optionalScopes, scope):
			granted = append(granted, scope)
		default:
			return nil, false
		}
	}
	return granted, true
}
