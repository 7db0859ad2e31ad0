// Package auth says who is calling, from a verified access token and nothing else, and whether they may.
package auth

import (
	"context"
	"slices"
	"strings"

	"eventprospect/mesh/fault"
)

// Identity is who a verified token speaks for.
type Identity struct {
	// Subject is the token's `sub`: the user's, or the service account's, id.
	Subject string
	// Client is the token's `azp`: the OAuth client that the token was given to.
	Client string
	// Roles are the roles that the token carries, of the realm and of the clients whose roles count.
	Roles []string
	// User is on whose behalf this service calls, verified by a token of the user's own; nil if it calls for itself.
	User *Identity
}

// HasAny tells whether the identity has one of the roles. The roles of User don't count: they are another's.
func (i Identity) HasAny(roles []string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(i.Roles, role) })
}

type key struct{}

// NewContext returns a context in which this identity calls.
func NewContext(ctx context.Context, identity Identity) context.Context {
	return context.WithValue(ctx, key{}, identity)
}

// FromContext tells who calls; false if nobody was verified.
func FromContext(ctx context.Context) (Identity, bool) {
	identity, ok := ctx.Value(key{}).(Identity)
	return identity, ok
}

// Bearer takes the token out of an Authorization header (RFC 6750, section 2.1). The scheme's case doesn't
// matter (RFC 9110, section 11.1).
func Bearer(header string) (string, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || !isToken(token) {
		return "", fault.New(fault.Unauthenticated, "the authorization header must be \"Bearer\" and a token")
	}
	return token, nil
}

// isToken tells whether a text is a b64token: letters, digits and -._~+/ with any number of = at the end.
func isToken(text string) bool {
	text = strings.TrimRight(text, "=")
	for _, c := range []byte(text) {
		if !isLetterOrDigit(c) && !strings.ContainsRune("-._~+/", rune(c)) {
			return false
		}
	}
	return text != ""
}
