package auth

import (
	"errors"
	"strings"
)

var (
	errCritical   = errors.New("the header demands an extension")
	errHeaderType = errors.New("the header's typ is not that of an access token")
)

// checkHeader refuses headers that change what a token means: demands for extensions, of which we know none (RFC 7515,
// section 4.1.11; RFC 7797 for b64), and the types of other tokens (RFC 8725, section 3.11). Keys and addresses of keys
// that a header brings along (jwk, jku, x5c, x5u) are never looked at.
func checkHeader(header map[string]any) error {
	for _, name := range []string{"crit", "b64"} {
		if _, ok := header[name]; ok {
			return errCritical
		}
	}
	value, ok := header["typ"]
	if !ok {
		return nil
	}
	name, _ := value.(string)
	switch strings.TrimPrefix(strings.ToLower(name), "application/") {
	case "jwt", "at+jwt": // RFC 7519, section 5.1, which is Keycloak's; RFC 9068, section 2.1
		return nil
	}
	return errHeaderType
}

// isCompact tells whether a token consists of what a JWS in compact form may (RFC 7515, section 7.1). Base64 decoders are
// more generous: to them a line break is nothing, and so one token would have many forms.
func isCompact(token string) bool {
	for _, c := range []byte(token) {
		if !isLetterOrDigit(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return token != ""
}

func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
