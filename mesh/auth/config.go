package auth

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"eventprospect/mesh/conf"
)

// Config says whose tokens are accepted, and under which identity this process calls others.
type Config struct {
	// Issuer is the exact `iss` of an accepted token: the realm's public URL.
	Issuer string `koanf:"issuer"`
	// IssuerAliases are other `iss` that are accepted: names of the same realm, such as the one inside a network of containers.
	IssuerAliases []string `koanf:"issuer_aliases"`
	// JWKSURL is where the realm's keys are read; it may be an internal address. Empty: Keycloak's place under Issuer.
	JWKSURL string `koanf:"jwks_url"`
	// Audience must be among the `aud` of an accepted token.
	Audience string `koanf:"audience"`
	// RoleClients are the clients whose roles (`resource_access`) count besides the realm's. Empty: the audience's alone.
	RoleClients []string `koanf:"role_clients"`
	// CacheSize is how many verified tokens are remembered, each until it expires or the realm's keys change; 0 for none.
	CacheSize int `koanf:"cache_size"`
	// TokenURL is where this process gets its own token. Empty: Keycloak's place under Issuer.
	TokenURL string `koanf:"token_url"`
	// ClientID is this process's service account (OAuth client credentials). Empty: it calls nobody.
	ClientID string `koanf:"client_id"`
	// ClientSecret belongs to ClientID.
	ClientSecret conf.Secret `koanf:"client_secret"`
}

// Default trusts the realm of a Keycloak, or of the development issuer, on this machine. The process acts as client.
func Default(client string) Config {
	return Config{
		Issuer:    "http://localhost:8180/realms/EventProspect",
		Audience:  "event-prospect-api",
		CacheSize: 10_000,
		ClientID:  client,
	}
}

// Validate names every setting that can't work.
func (c Config) Validate() error {
	errs := []error{isURL("issuer", c.Issuer)}
	for _, alias := range c.IssuerAliases {
		errs = append(errs, isURL("issuer_aliases", alias))
	}
	if c.JWKSURL != "" {
		errs = append(errs, isURL("jwks_url", c.JWKSURL))
	}
	if c.TokenURL != "" {
		errs = append(errs, isURL("token_url", c.TokenURL))
	}
	if c.Audience == "" {
		errs = append(errs, errors.New("audience: must not be empty"))
	}
	if slices.Contains(c.RoleClients, "") {
		errs = append(errs, errors.New("role_clients: a client must not be empty"))
	}
	if c.CacheSize < 0 {
		errs = append(errs, fmt.Errorf("cache_size: %d is not a number of tokens: it must be 0 or more", c.CacheSize))
	}
	if c.ClientID != "" && c.ClientSecret == "" {
		errs = append(errs, fmt.Errorf("client_secret: must be set for the client %q", c.ClientID))
	}
	return errors.Join(errs...)
}

func isURL(name, value string) error {
	if u, err := url.Parse(value); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%s: %q is not an http or https URL", name, value)
	}
	return nil
}

// issuers are the `iss` that are accepted.
func (c Config) issuers() []string { return append([]string{c.Issuer}, c.IssuerAliases...) }

func (c Config) roleClients() []string {
	if len(c.RoleClients) == 0 {
		return []string{c.Audience}
	}
	return c.RoleClients
}

func (c Config) keys() string {
	if c.JWKSURL != "" {
		return c.JWKSURL
	}
	return c.Issuer + "/protocol/openid-connect/certs"
}

func (c Config) tokens() string {
	if c.TokenURL != "" {
		return c.TokenURL
	}
	return c.Issuer + "/protocol/openid-connect/token"
}
