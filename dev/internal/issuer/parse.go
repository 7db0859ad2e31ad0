package issuer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// What Keycloak takes where the export says nothing.
const (
	defaultTokenLife = 300
	defaultIdle      = 1800
)

// ParseRealm reads a Keycloak realm export. It takes what Keycloak takes, and refuses what would only show up later
// as a sign-in that never works; the error names the first such problem and where it is.
func ParseRealm(data []byte) (Realm, error) {
	var file export
	if err := decode(data, &file); err != nil {
		return Realm{}, fmt.Errorf("realm file: %w", err)
	}
	realm, err := file.build()
	if err != nil {
		return Realm{}, fmt.Errorf("realm file: %w", err)
	}
	return realm, nil
}

// decode is json.Unmarshal with the line of the mistake in its error.
func decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("line %d: %w", line(data, syntax.Offset), err)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("line %d: %s is a JSON %s, not what belongs there", line(data, wrong.Offset), wrong.Field, wrong.Value)
	}
	return err
}

// line is the line that holds the byte before offset, where encoding/json stopped.
func line(data []byte, offset int64) int {
	offset = max(offset-1, 0)
	return 1 + bytes.Count(data[:min(offset, int64(len(data)))], []byte("\n"))
}

func (e export) build() (Realm, error) {
	if err := e.head(); err != nil {
		return Realm{}, err
	}
	realm := Realm{
		name:      e.Realm,
		tokenLife: seconds(e.AccessTokenLifespan, defaultTokenLife),
		idle:      seconds(e.SSOSessionIdleTimeout, defaultIdle),
		users:     map[string]*user{},
		clients:   map[string]*client{},
	}
	roles, err := e.Roles.index()
	if err != nil {
		return Realm{}, err
	}
	for _, c := range e.Clients {
		if err := e.addClient(realm, c); err != nil {
			return Realm{}, err
		}
	}
	for _, u := range e.Users {
		if err := addUser(realm, roles, u); err != nil {
			return Realm{}, err
		}
	}
	return realm, everyAccountExists(realm)
}

// head checks what stands at the top of the file.
func (e export) head() error {
	switch {
	case e.Realm == "":
		return errors.New(`no realm name: "realm" is missing or empty`)
	case url.PathEscape(e.Realm) != e.Realm:
		return fmt.Errorf("the realm name %q can't stand in a URL", e.Realm)
	case !e.Enabled:
		return fmt.Errorf(`the realm %q is not enabled: "enabled" must be true`, e.Realm)
	case e.AccessTokenLifespan != nil && *e.AccessTokenLifespan <= 0:
		return fmt.Errorf("accessTokenLifespan is %d: it must be at least 1 second", *e.AccessTokenLifespan)
	case e.SSOSessionIdleTimeout != nil && *e.SSOSessionIdleTimeout <= 0:
		return fmt.Errorf("ssoSessionIdleTimeout is %d: it must be at least 1 second", *e.SSOSessionIdleTimeout)
	}
	return nil
}

func seconds(given *int, otherwise int) time.Duration {
	if given != nil {
		otherwise = *given
	}
	return time.Duration(otherwise) * time.Second
}

// everyAccountExists: Keycloak would make a missing service account itself, under an id of its own, so tokens would
// name another subject there than here.
func everyAccountExists(realm Realm) error {
	for id, c := range realm.clients {
		if c.serviceAccount && c.account == nil {
			return fmt.Errorf("client %q has service accounts enabled, but no user has it as serviceAccountClientId", id)
		}
	}
	return nil
}
