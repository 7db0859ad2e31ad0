package auth_test

import (
	"strings"
	"testing"

	"eventprospect/mesh/auth"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*auth.Config)
		names  []string
	}{
		"good":            {func(*auth.Config) {}, nil},
		"calls nobody":    {func(c *auth.Config) { c.ClientID, c.ClientSecret = "", "" }, nil},
		"internal URLs":   {func(c *auth.Config) { c.JWKSURL, c.TokenURL = "http://idp:80/certs", "https://idp/token" }, nil},
		"no issuer":       {func(c *auth.Config) { c.Issuer = "" }, []string{"issuer"}},
		"issuer no URL":   {func(c *auth.Config) { c.Issuer = "localhost:8180" }, []string{"issuer"}},
		"bad key URL":     {func(c *auth.Config) { c.JWKSURL = "file:///keys" }, []string{"jwks_url"}},
		"bad token URL":   {func(c *auth.Config) { c.TokenURL = "http://" }, []string{"token_url"}},
		"no audience":     {func(c *auth.Config) { c.Audience = "" }, []string{"audience"}},
		"no secret":       {func(c *auth.Config) { c.ClientSecret = "" }, []string{"client_secret"}},
		"aliases":         {func(c *auth.Config) { c.IssuerAliases = []string{"http://keycloak:8080/realms/x"} }, nil},
		"bad alias":       {func(c *auth.Config) { c.IssuerAliases = []string{"http://a", "keycloak"} }, []string{"issuer_aliases"}},
		"empty client":    {func(c *auth.Config) { c.RoleClients = []string{"a", ""} }, []string{"role_clients"}},
		"no cache":        {func(c *auth.Config) { c.CacheSize = 0 }, nil},
		"bad cache":       {func(c *auth.Config) { c.CacheSize = -1 }, []string{"cache_size"}},
		"everything bad":  {func(c *auth.Config) { *c = auth.Config{JWKSURL: "x", TokenURL: "y", ClientID: "z"} }, allSettings},
		"nothing is said": {func(c *auth.Config) { *c = auth.Config{} }, []string{"issuer", "audience"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := auth.Default("event")
			cfg.ClientSecret = "s3cr3t"
			c.change(&cfg)
			checkNames(t, cfg.Validate(), c.names)
		})
	}
}

var allSettings = []string{"issuer", "jwks_url", "token_url", "audience", "client_secret"}

// checkNames wants one line for each setting, and no other.
func checkNames(t *testing.T, err error, names []string) {
	t.Helper()
	var lines []string
	if err != nil {
		lines = strings.Split(err.Error(), "\n")
	}
	if len(lines) != len(names) {
		t.Fatalf("%d settings are refused, want %d: %v", len(lines), len(names), err)
	}
	for i, name := range names {
		if !strings.HasPrefix(lines[i], name+": ") {
			t.Errorf("%q doesn't name %s", lines[i], name)
		}
	}
}
