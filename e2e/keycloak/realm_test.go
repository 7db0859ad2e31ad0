package keycloak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"eventprospect/dev/stack"
	"eventprospect/mesh/meshtest"
)

// realm is a copy of ours under another name, which a test can change as it likes, through Keycloak's Admin REST API. It goes
// with the test.
type realm struct {
	name, issuer string

	at            *url.URL
	administrator *url.Userinfo
}

// newRealm makes a copy of our realm; change changes what is imported.
func newRealm(t *testing.T, change func(representation map[string]any)) *realm {
	t.Helper()
	r := &realm{name: "EventProspect-" + meshtest.NewName()}
	r.at, r.administrator = server(t)
	r.issuer = issuer(r.at, r.name)
	var representation map[string]any
	if err := json.Unmarshal(stack.Realm, &representation); err != nil {
		t.Fatal(err)
	}
	representation["realm"] = r.name
	for _, user := range representation["users"].([]any) {
		delete(user.(map[string]any), "id") // it is one for all realms
	}
	if change != nil {
		change(representation)
	}
	r.must(t.Context(), t, http.MethodPost, "/admin/realms", representation, nil)
	t.Cleanup(func() { r.must(meshtest.Background(t), t, http.MethodDelete, "/admin/realms/"+r.name, nil, nil) })
	return r
}

// admin changes or reads something of the realm; the path is below /admin/realms/{realm}.
func (r *realm) admin(t *testing.T, method, path string, body, into any) {
	t.Helper()
	r.must(t.Context(), t, method, "/admin/realms/"+r.name+path, body, into)
}

// must calls the Admin REST API, each time with a new token: they live for a minute.
func (r *realm) must(ctx context.Context, t *testing.T, method, path string, body, into any) {
	t.Helper()
	if err := r.call(ctx, method, path, body, into); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
}

func (r *realm) call(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, r.at.String()+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	password, _ := r.administrator.Password()
	cli := oauth2.Config{ClientID: "admin-cli", Endpoint: endpoint(issuer(r.at, "master"))}
	token, err := cli.PasswordCredentialsToken(ctx, r.administrator.Username(), password)
	if err != nil {
		return err
	}
	token.SetAuthHeader(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s: %s", response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// user gives the id of a user.
func (r *realm) user(t *testing.T, name string) string {
	t.Helper()
	var found []struct{ ID string }
	r.admin(t, http.MethodGet, "/users?exact=true&username="+url.QueryEscape(name), nil, &found)
	if len(found) != 1 {
		t.Fatalf("%d users are called %s", len(found), name)
	}
	return found[0].ID
}

// signingKey gives the provider of the key that signs tokens, and the key's id.
func (r *realm) signingKey(t *testing.T) (provider, id string) {
	t.Helper()
	var keys struct {
		Active map[string]string
		Keys   []struct{ ProviderID, Kid string }
	}
	r.admin(t, http.MethodGet, "/keys", nil, &keys)
	for _, key := range keys.Keys {
		if key.Kid == keys.Active["RS256"] {
			return key.ProviderID, key.Kid
		}
	}
	t.Fatal("no key signs with RS256")
	return "", ""
}

// addKey makes a new key sign in the place of the one before, whose tokens stay good.
func (r *realm) addKey(t *testing.T) {
	t.Helper()
	r.admin(t, http.MethodPost, "/components", map[string]any{
		"name": "rotated", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
		"config": map[string][]string{"priority": {"1000"}, "keySize": {"2048"}, "algorithm": {"RS256"}},
	}, nil)
}

// removeKey makes the realm forget a key; this ends its tokens.
func (r *realm) removeKey(t *testing.T, provider string) {
	t.Helper()
	r.admin(t, http.MethodDelete, "/components/"+provider, nil, nil)
}

// enable lets a user in, or out.
func (r *realm) enable(t *testing.T, user string, enabled bool) {
	t.Helper()
	r.admin(t, http.MethodPut, "/users/"+r.user(t, user), map[string]bool{"enabled": enabled}, nil)
}

// role is a role as the Admin REST API names it.
type role struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// realmRole gives a role of the realm, and the path at which a user's are changed.
func (r *realm) realmRole(t *testing.T, user, name string) (granted []role, at string) {
	t.Helper()
	var found role
	r.admin(t, http.MethodGet, "/roles/"+name, nil, &found)
	return []role{found}, "/users/" + r.user(t, user) + "/role-mappings/realm"
}

// clientRole makes a client with a role, and gives it with the path at which a user's are changed.
func (r *realm) clientRole(t *testing.T, user, client, name string) (granted []role, at string) {
	t.Helper()
	r.admin(t, http.MethodPost, "/clients", map[string]any{"clientId": client, "bearerOnly": true}, nil)
	var clients []struct{ ID string }
	r.admin(t, http.MethodGet, "/clients?clientId="+client, nil, &clients)
	roles := "/clients/" + clients[0].ID + "/roles"
	r.admin(t, http.MethodPost, roles, role{Name: name}, nil)
	var found role
	r.admin(t, http.MethodGet, roles+"/"+name, nil, &found)
	return []role{found}, "/users/" + r.user(t, user) + "/role-mappings/clients/" + clients[0].ID
}

func endpoint(issuer string) oauth2.Endpoint {
	at := strings.TrimSuffix(issuer, "/") + "/protocol/openid-connect/"
	return oauth2.Endpoint{AuthURL: at + "auth", TokenURL: at + "token", AuthStyle: oauth2.AuthStyleInParams}
}
