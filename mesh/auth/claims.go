package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"eventprospect/mesh/fault"
)

// maxShown bounds how much of a found issuer is repeated, in bytes.
const maxShown = 200

// claims are what we read of a Keycloak access token.
type claims struct {
	jwt.RegisteredClaims
	// Type is `typ`, and Client is `azp`.
	Type, Client   string
	RealmAccess    access
	ResourceAccess map[string]access
}

// access is what a token says of the realm or of one client.
type access struct{ Roles []string }

// UnmarshalJSON takes the claims by their exact names (RFC 7519, section 4). By default encoding/json would let "Sub" stand for
// "sub", and an issuer may well let a user choose what is in a claim that nobody reads.
func (c *claims) UnmarshalJSON(text []byte) error {
	return members(text, map[string]any{
		"iss": &c.Issuer, "sub": &c.Subject, "aud": &c.Audience, "exp": &c.ExpiresAt, "nbf": &c.NotBefore,
		"typ": &c.Type, "azp": &c.Client, "realm_access": &c.RealmAccess, "resource_access": &c.ResourceAccess,
	})
}

// UnmarshalJSON takes the roles by their exact name.
func (a *access) UnmarshalJSON(text []byte) error {
	return members(text, map[string]any{"roles": &a.Roles})
}

// members decodes the members of a JSON object by their exact names, and passes over the others.
func members(text []byte, into map[string]any) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, target := range into {
		value, ok := all[name]
		if !ok {
			continue
		}
		if err := json.Unmarshal(value, target); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Validate adds to the standard checks that it is an access token (Keycloak's ID and refresh tokens are
// signed by the same realm) and that it is somebody's.
func (c *claims) Validate() error {
	if c.Type != "Bearer" {
		return errors.New("typ is not Bearer")
	}
	if c.Subject == "" {
		return errors.New("sub is missing")
	}
	return nil
}

// checkIssuer names both issuers, since the usual cause is one issuer with two names. It is asked only once the signature
// is verified: it repeats nobody's words but the realm's own.
func (c *claims) checkIssuer(issuers []string) error {
	switch {
	case c.Issuer == "":
		return fault.New(fault.Unauthenticated, "the token lacks a required claim").Because(errors.New("iss is missing"))
	case slices.Contains(issuers, c.Issuer):
		return nil
	}
	return fault.New(fault.Unauthenticated, "the token is from issuer %s, want %s", shown(c.Issuer), strings.Join(issuers, " or "))
}

// shown makes a text fit to stand in a message and in an HTTP header.
func shown(text string) string {
	tail := ""
	if len(text) > maxShown {
		text, tail = text[:maxShown], "..."
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"\\<>", r) {
			return '?'
		}
		return r
	}, text) + tail
}

// roles are the realm's and those of the clients, each once. They add up: none takes another's place.
func (c *claims) roles(clients []string) []string {
	var all []string
	seen := map[string]bool{}
	add := func(roles []string) {
		for _, role := range roles {
			if !seen[role] {
				seen[role] = true
				all = append(all, role)
			}
		}
	}
	add(c.RealmAccess.Roles)
	for _, client := range clients {
		add(c.ResourceAccess[client].Roles)
	}
	// Identities out of the cache share their roles: appending to one must not write into another's.
	return slices.Clip(all)
}

// reason says what is wrong with a token without telling what is in it.
func reason(err error) string {
	const signature = "the token's signature or algorithm is not accepted"
	reasons := []struct {
		cause error
		text  string
	}{
		{errCritical, "the token's header demands an extension that is not supported"},
		{errHeaderType, "the token is not an access token"},
		{errUnknownKey, "the token is signed with an unknown key"},
		{errKeyAlgorithm, signature},
		{jwt.ErrTokenMalformed, "the token is malformed"},
		{jwt.ErrTokenExpired, "the token has expired"},
		{jwt.ErrTokenNotValidYet, "the token is not valid yet"},
		{jwt.ErrTokenInvalidAudience, "the token is for another audience"},
		{jwt.ErrTokenRequiredClaimMissing, "the token lacks a required claim"},
		{jwt.ErrTokenSignatureInvalid, signature},
		{jwt.ErrTokenUnverifiable, signature},
		{jwt.ErrTokenInvalidClaims, "the token is not an access token"},
	}
	for _, r := range reasons {
		if errors.Is(err, r.cause) {
			return r.text
		}
	}
	return "the token is not accepted"
}

// refuse is the refusal of a token.
func refuse(err error) error {
	return fault.New(fault.Unauthenticated, "%s", reason(err)).Because(err)
}
