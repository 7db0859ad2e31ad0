package issuer

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"eventprospect/dev/stack"
)

// small is a realm with one of everything, for breaking.
const small = `{
  "realm": "small", "enabled": true, "someKeyOfKeycloak": {"deep": [1]},
  "roles": {"realm": [{"name": "reader"}, {"name": "editor", "composites": {"realm": ["reader"], "client": {"app": ["own"]}}}],
    "client": {"app": [{"name": "own"}]}},
  "clients": [
    {"clientId": "app", "secret": "s", "serviceAccountsEnabled": true, "redirectUris": ["https://app.example/*"]},
    {"clientId": "cli", "publicClient": true, "directAccessGrantsEnabled": true}],
  "users": [
    {"id": "1", "username": "Ada", "enabled": true, "realmRoles": ["editor"], "credentials": [{"type": "password", "value": "ada"}]},
    {"id": "2", "username": "off", "realmRoles": ["reader"], "credentials": [{"type": "password", "value": "off"}]},
    {"id": "4", "username": "bare", "enabled": true},
    {"id": "3", "username": "service-account-app", "enabled": true, "serviceAccountClientId": "app"}]
}`

func TestBrokenRealmsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := ParseRealm([]byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, broken, want string }{
		{`"deep": [1]}`, `"deep": [1]]`, "line 2: "},
		{`"enabled": true, "some`, `"enabled": "yes", "some`, "line 2: enabled is a JSON string"},
		{`"realm": "small"`, `"id": "small"`, "no realm name"},
		{`"realm": "small"`, `"realm": "a/b"`, `"a/b" can't stand in a URL`},
		{`"enabled": true, "some`, `"enabled": false, "some`, `the realm "small" is not enabled`},
		{`"realm": "small"`, `"realm": "small", "accessTokenLifespan": 0`, "accessTokenLifespan is 0"},
		{`"realm": "small"`, `"realm": "small", "ssoSessionIdleTimeout": -1`, "ssoSessionIdleTimeout is -1"},
		{`{"name": "reader"}`, `{"name": "reader"}, {"name": "reader"}`, `duplicate role "reader"`},
		{`"realm": ["reader"], "client"`, `"realm": ["writer"], "client"`, `role "editor" is composed of the unknown role "writer"`},
		{`{"app": ["own"]}`, `{"app": ["other"]}`, `unknown role "other" of client "app"`},
		{`"realmRoles": ["editor"]`, `"realmRoles": ["boss"]`, `user "Ada": unknown role "boss"`},
		{`"username": "off"`, `"username": "ADA"`, `duplicate user "ADA"`},
		{`"username": "off"`, `"username": ""`, "a user has no username"},
		{`"id": "2"`, `"id": "1"`, `user "off": duplicate id "1"`},
		{`"id": "2", `, ``, `user "off": it has no id`},
		{`"value": "ada"`, `"secretData": "x"`, `user "Ada": its password has no plain "value"`},
		{`"serviceAccountClientId": "app"`, `"serviceAccountClientId": "gone"`, `the unknown client "gone"`},
		{`"serviceAccountClientId": "app"`, `"serviceAccountClientId": "cli"`, `"cli", which has service accounts disabled`},
		{`"username": "off"`, `"username": "off", "serviceAccountClientId": "app"`, `"app" already has a service account, "off"`},
		{`, "serviceAccountClientId": "app"`, ``, `client "app" has service accounts enabled, but no user`},
		{`"clientId": "cli"`, `"clientId": "app"`, `duplicate client "app"`},
		{`"clientId": "cli", `, ``, "a client has no clientId"},
		{`"secret": "s"`, `"secret": ""`, `client "app": it is confidential and has no secret`},
		{`"publicClient": true`, `"publicClient": true, "serviceAccountsEnabled": true`, `client "cli": a public client can't`},
		{`https://app.example/*`, `https://*.example/`, `a wildcard may only stand at the end`},
		{`https://app.example/*`, `app.example`, `"app.example" is not an absolute URL`},
		{`"publicClient": true`, `"publicClient": true, "defaultClientScopes": ["basic", "made-up"]`, `client "cli": unknown client scope "made-up"`},
		{`"publicClient": true`, `"publicClient": true, "defaultClientScopes": ["roles"]`, `the default client scope "basic" is missing`},
	} {
		broken := strings.Replace(small, c.old, c.broken, 1)
		if broken == small {
			t.Fatalf("%q isn't in the realm", c.old)
		}
		if _, err := ParseRealm([]byte(broken)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.broken, err, c.want)
		}
	}
}

func TestClientRolesAndUsersWhoCantSignIn(t *testing.T) {
	t.Parallel()
	realm, err := ParseRealm([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, realm, "")
	tokens := s.token("grant_type", "password", "client_id", "cli", "username", "ada", "password", "ada")
	wantClaims(t, s.claims(tokens.text("access_token")), map[string]string{
		"resource_access": `{"app":{"roles":["own"]}}`, "aud": `["app"]`, "realm_access": `{"roles":["editor","reader"]}`,
	})
	for name, password := range map[string]string{"off": "off", "bare": ""} {
		refused := s.token("grant_type", "password", "client_id", "cli", "username", name, "password", password)
		s.want(refused, http.StatusUnauthorized, "invalid_grant: Invalid user credentials")
	}
}

func TestTheStandardFlowCanBeOff(t *testing.T) {
	t.Parallel()
	off := `"publicClient": true, "standardFlowEnabled": false, "redirectUris": ["` + back + `"]`
	realm, err := ParseRealm([]byte(strings.Replace(small, `"publicClient": true`, off, 1)))
	if err != nil {
		t.Fatal(err)
	}
	a := serve(t, realm, "").get(ask("client_id", "cli"))
	if got := a.header.Get("Location"); !strings.HasPrefix(got, back+"?error=unauthorized_client&") {
		t.Errorf("got %d to %q", a.status, got)
	}
}

func TestAudienceMappersOfAClientScopeCount(t *testing.T) {
	t.Parallel()
	scopes := `"clientScopes": [{"name": "basic"}, {"name": "api", "protocolMappers": [
		{"protocolMapper": "oidc-audience-mapper", "config": {"included.client.audience": "app", "access.token.claim": "true"}},
		{"protocolMapper": "oidc-audience-mapper", "config": {"included.custom.audience": "id-only", "access.token.claim": "false"}}]}],`
	file := strings.Replace(small, `"roles":`, scopes+`"roles":`, 1)
	file = strings.Replace(file, `"publicClient": true`, `"publicClient": true, "defaultClientScopes": ["basic", "api"]`, 1)
	file = strings.Replace(file, `"secret": "s"`, `"secret": "s", "defaultClientScopes": ["basic"]`, 1)
	realm, err := ParseRealm([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, realm, "")
	tokens := s.token("grant_type", "password", "client_id", "cli", "username", "ada", "password", "ada")
	wantClaims(t, s.claims(tokens.text("access_token")), map[string]string{
		"aud": `["app"]`, "realm_access": "null", "preferred_username": "null",
	})
}

// TestRealmFileSuitsKeycloak guards what only the real Keycloak would trip over.
func TestRealmFileSuitsKeycloak(t *testing.T) {
	t.Parallel()
	realm, err := ParseRealm(stack.Realm)
	if err != nil {
		t.Fatal(err)
	}
	if realm.name != "EventProspect" || len(realm.clients) != 6 || len(realm.users) != 8 {
		t.Errorf("realm %q with %d clients and %d users", realm.name, len(realm.clients), len(realm.users))
	}
	var file export
	if err := json.Unmarshal(stack.Realm, &file); err != nil {
		t.Fatal(err)
	}
	if file.ClientScopes != nil {
		t.Error("clientScopes is defined: Keycloak wouldn't make its built-in ones")
	}
	for _, c := range file.Clients {
		if got := audiences(c.ProtocolMappers); len(got) != 1 || got[0] != "event-prospect-api" {
			t.Errorf("client %q has the audiences %q", c.ClientID, got)
		}
	}
	for _, u := range file.Users { // Keycloak refuses the password grant for a person with an incomplete profile
		if u.ServiceAccountClientID == "" && (u.Email == "" || u.FirstName == "" || u.LastName == "" || !u.Enabled) {
			t.Errorf("user %q is incomplete", u.Username)
		}
	}
}
