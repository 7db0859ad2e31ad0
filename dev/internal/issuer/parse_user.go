package issuer

import (
	"errors"
	"fmt"
	"strings"
)

func addUser(realm Realm, roles roleIndex, from exportUser) error {
	key := strings.ToLower(from.Username)
	if key == "" {
		return errors.New("a user has no username")
	}
	if _, taken := realm.users[key]; taken {
		return fmt.Errorf("duplicate user %q", from.Username)
	}
	if err := from.check(realm); err != nil {
		return fmt.Errorf("user %q: %w", from.Username, err)
	}
	made := &user{
		id: from.ID, name: key, password: from.password(), enabled: from.Enabled, verified: from.EmailVerified,
		firstName: from.FirstName, lastName: from.LastName, email: from.Email, account: from.ServiceAccountClientID,
	}
	var err error
	if made.realmRoles, made.clientRoles, err = roles.expand(from.RealmRoles, from.ClientRoles); err != nil {
		return fmt.Errorf("user %q: %w", from.Username, err)
	}
	if made.account != "" {
		realm.clients[made.account].account = made
	}
	realm.users[key] = made
	return nil
}

func (u exportUser) check(realm Realm) error {
	if u.ID == "" {
		return errors.New("it has no id: its tokens would have another subject after each import")
	}
	for _, other := range realm.users {
		if other.id == u.ID {
			return fmt.Errorf("duplicate id %q: it is also that of %q", u.ID, other.name)
		}
	}
	for _, c := range u.Credentials {
		if c.Type == "password" && c.Value == "" {
			return errors.New(`its password has no plain "value"`)
		}
	}
	if u.ServiceAccountClientID == "" {
		return nil
	}
	c, ok := realm.clients[u.ServiceAccountClientID]
	switch {
	case !ok:
		return fmt.Errorf("it is the service account of the unknown client %q", u.ServiceAccountClientID)
	case !c.serviceAccount:
		return fmt.Errorf("it is the service account of %q, which has service accounts disabled", c.id)
	case c.account != nil:
		return fmt.Errorf("%q already has a service account, %q", c.id, c.account.name)
	}
	return nil
}

func (u exportUser) password() string {
	for _, c := range u.Credentials {
		if c.Type == "password" {
			return c.Value
		}
	}
	return ""
}
