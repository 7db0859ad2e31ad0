package issuer

import (
	"net"
	"net/url"
	"path"
	"strings"
)

// allowsRedirect reports whether uri is among the registered ones, by Keycloak's rules: it is equal to one, or lies
// under one that ends in "/*"; and where one names this very machine without a port, any port will do (RFC 8252,
// section 7.3).
func allowsRedirect(registered []string, uri string) bool {
	asked, err := url.Parse(uri)
	if err != nil || asked.User != nil || strings.Contains(uri, "#") {
		return false
	}
	for _, r := range registered {
		known, err := url.Parse(r)
		if err == nil && known.Scheme == asked.Scheme && sameHost(known, asked) && samePath(known, asked) {
			return true
		}
	}
	return false
}

func sameHost(known, asked *url.URL) bool {
	if known.Host == asked.Host {
		return true
	}
	name := known.Hostname()
	ownMachine := name == "localhost" || net.ParseIP(name).IsLoopback()
	return ownMachine && known.Port() == "" && name == asked.Hostname()
}

// samePath compares cleaned paths: "/app/../admin" isn't under "/app/*".
func samePath(known, asked *url.URL) bool {
	under, wildcard := strings.CutSuffix(known.EscapedPath(), "/*")
	if !wildcard {
		return known.EscapedPath() == asked.EscapedPath() && known.RawQuery == asked.RawQuery
	}
	clean := path.Clean("/" + asked.Path)
	return clean == under || strings.HasPrefix(clean, under+"/")
}
