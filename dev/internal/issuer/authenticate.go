package issuer

import (
	"net/http"
	"net/url"
)

// badClient is Keycloak's description for an unknown client and for a wrong secret alike.
const badClient = "Invalid client or Invalid client credentials"

// authenticate finds the client that makes this request, by its Authorization header or by the form. A public client
// only says who it is.
func (i *Issuer) authenticate(r *http.Request) (*client, error) {
	id, secret, err := clientCredentials(r)
	if err != nil {
		return nil, unauthorized("invalid_client", badClient)
	}
	c, ok := i.realm.clients[id]
	switch {
	case !ok || !c.enabled:
		return nil, unauthorized("invalid_client", badClient)
	case !c.public && !same(secret, c.secret):
		return nil, unauthorized("unauthorized_client", badClient)
	}
	return c, nil
}

func clientCredentials(r *http.Request) (id, secret string, err error) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), nil
	}
	// RFC 6749, section 2.3.1: both are form-encoded inside the header.
	if id, err = url.QueryUnescape(id); err != nil {
		return "", "", err
	}
	secret, err = url.QueryUnescape(secret)
	return id, secret, err
}

// checkPassword finds the person whose name and password these are. Nobody signs in with an empty password.
func (r Realm) checkPassword(username, password string) (*user, bool) {
	who, ok := r.person(username)
	if !ok || !who.enabled || who.password == "" || !same(password, who.password) {
		return nil, false
	}
	return who, true
}
