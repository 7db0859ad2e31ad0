// Package keycloak holds the system to its word with tokens of a real Keycloak: that people and services get in by every way that
// Keycloak has, and that what changes in a realm, its keys, users and roles, shows here in time.
package keycloak

import (
	"net/url"
	"testing"

	"eventprospect/mesh/meshtest"
)

// Issuer gives the URL of our realm on the Keycloak of tests. The test is skipped, and says so, if there is none.
func Issuer(t testing.TB) string {
	t.Helper()
	at, _ := server(t)
	return issuer(at, "EventProspect")
}

func issuer(at *url.URL, realm string) string { return at.JoinPath("realms", realm).String() }

// server gives the address of the Keycloak of tests, and its administrator.
func server(t testing.TB) (*url.URL, *url.Userinfo) {
	t.Helper()
	at, err := url.Parse(meshtest.Database(t, "EVENTPROSPECT_TEST_KEYCLOAK"))
	if err != nil {
		t.Fatal("EVENTPROSPECT_TEST_KEYCLOAK is not a URL")
	}
	administrator := at.User
	at.User = nil
	return at, administrator
}
