package issuer

// export is the part of a Keycloak realm export that the issuer understands. Keycloak knows hundreds of keys more,
// so unknown ones are passed over.
type export struct {
	Realm                 string         `json:"realm"`
	Enabled               bool           `json:"enabled"`
	AccessTokenLifespan   *int           `json:"accessTokenLifespan"`
	SSOSessionIdleTimeout *int           `json:"ssoSessionIdleTimeout"`
	Roles                 exportRoles    `json:"roles"`
	ClientScopes          []exportScope  `json:"clientScopes"`
	Users                 []exportUser   `json:"users"`
	Clients               []exportClient `json:"clients"`
}

type exportRoles struct {
	Realm  []exportRole            `json:"realm"`
	Client map[string][]exportRole `json:"client"`
}

type exportRole struct {
	Name       string `json:"name"`
	Composites struct {
		Realm  []string            `json:"realm"`
		Client map[string][]string `json:"client"`
	} `json:"composites"`
}

type exportScope struct {
	Name            string         `json:"name"`
	ProtocolMappers []exportMapper `json:"protocolMappers"`
}

type exportMapper struct {
	Name           string            `json:"name"`
	ProtocolMapper string            `json:"protocolMapper"`
	Config         map[string]string `json:"config"`
}

type exportUser struct {
	ID                     string              `json:"id"`
	Username               string              `json:"username"`
	Enabled                bool                `json:"enabled"`
	EmailVerified          bool                `json:"emailVerified"`
	Email                  string              `json:"email"`
	FirstName              string              `json:"firstName"`
	LastName               string              `json:"lastName"`
	Credentials            []exportCredential  `json:"credentials"`
	RealmRoles             []string            `json:"realmRoles"`
	ClientRoles            map[string][]string `json:"clientRoles"`
	ServiceAccountClientID string              `json:"serviceAccountClientId"`
}

type exportCredential struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// exportClient has pointers where Keycloak takes a missing key for true.
type exportClient struct {
	ClientID                  string            `json:"clientId"`
	Enabled                   *bool             `json:"enabled"`
	Secret                    string            `json:"secret"`
	BearerOnly                bool              `json:"bearerOnly"`
	PublicClient              bool              `json:"publicClient"`
	StandardFlowEnabled       *bool             `json:"standardFlowEnabled"`
	DirectAccessGrantsEnabled bool              `json:"directAccessGrantsEnabled"`
	ServiceAccountsEnabled    bool              `json:"serviceAccountsEnabled"`
	RedirectURIs              []string          `json:"redirectUris"`
	Attributes                map[string]string `json:"attributes"`
	DefaultClientScopes       []string          `json:"defaultClientScopes"`
	OptionalClientScopes      []string          `json:"optionalClientScopes"`
	ProtocolMappers           []exportMapper    `json:"protocolMappers"`
}
