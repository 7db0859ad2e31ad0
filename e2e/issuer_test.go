package e2e_test

import (
	"testing"

	"eventprospect/dev/system"
)

// TestASystemTakesTheTokensOfAnotherIssuer has one system trust the issuer of another, as it does a Keycloak's.
func TestASystemTakesTheTokensOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	other := newWorld(t)
	w := newWorldOf(t, system.Config{Issuer: other.system.Issuer})
	w.post(t, "/prospects", `{"firstName": "Grace", "lastName": "Hopper", "filedWork": "IT", "idEvent": "`+w.post(t, "/events", `{"name": "Fair"}`, nil)+`"}`, nil)
	for name, change := range map[string]func() error{"rotate": w.system.RotateTokenKey, "retire": w.system.RetireTokenKeys} {
		if err := change(); err == nil {
			t.Errorf("%s: the keys of another issuer can't be changed here", name)
		}
	}
}
