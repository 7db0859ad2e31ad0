package keycloak

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// TestADisabledUserIsOutWhenHisTokenExpires holds that Keycloak gives a disabled user nothing more, and that the token at hand
// works until it expires, and no longer than the leeway after that.
func TestADisabledUserIsOutWhenHisTokenExpires(t *testing.T) {
	t.Parallel()
	const life = 5 * time.Second
	r := newRealm(t, func(representation map[string]any) { representation["accessTokenLifespan"] = life.Seconds() })
	w := newWorld(t, r.issuer)
	token := w.login(t, "ada")
	w.mustRead(t, token.AccessToken)

	r.enable(t, "ada", false)
	_, err := w.people.PasswordCredentialsToken(t.Context(), "ada", "ada")
	mustBeRefused(t, err, "invalid_grant")
	_, err = w.people.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	mustBeRefused(t, err, "invalid_grant")

	worked, refused := w.untilRefused(t, token)
	t.Logf("the token of a disabled user worked in %d rounds and was refused %v after it expired", worked, refused.Sub(token.Expiry).Round(time.Millisecond))
	w.mustRefuse(t, token.AccessToken, "expired")

	r.enable(t, "ada", true)
	w.mustRead(t, w.login(t, "ada").AccessToken)
}

// untilRefused reads with a token until it is refused. Before it expires it must be good, and after the leeway refused.
func (w *world) untilRefused(t *testing.T, token *oauth2.Token) (worked int, refused time.Time) {
	t.Helper()
	for ; ; time.Sleep(pollEvery) {
		began := time.Now()
		got := w.read(t.Context(), token.AccessToken)
		switch {
		case got.ok():
			worked++
		case began.Before(token.Expiry.Add(-time.Second)): // its end is known to the second
			t.Fatalf("%v before it expires a token gets, %v", token.Expiry.Sub(began), got)
		case got.refused():
			return worked, began
		}
		if late := began.Sub(token.Expiry); late > leeway+time.Second {
			t.Fatalf("%v after it expired a token gets, %v", late, got)
		}
	}
}

// TestRolesShowInTheNextToken gives roles of the realm and of a client, and takes them away.
func TestRolesShowInTheNextToken(t *testing.T) {
	t.Parallel()
	r := newRealm(t, nil)
	w := newWorld(t, r.issuer)
	for name, of := range map[string]func() (granted []role, at string){
		"realm": func() ([]role, string) { return r.realmRole(t, "rita", "editor") },
		// The roles of the client that is called like the audience count, too: see auth.Config.RoleClients.
		"client": func() ([]role, string) { return r.clientRole(t, "rita", "event-prospect-api", "editor") },
	} {
		granted, at := of()
		before := w.login(t, "rita")
		w.mustCreate(t, before.AccessToken, http.StatusForbidden)

		r.admin(t, http.MethodPost, at, granted, nil)
		with := w.login(t, "rita")
		w.mustCreate(t, with.AccessToken, http.StatusCreated)
		w.mustCreate(t, before.AccessToken, http.StatusForbidden)

		r.admin(t, http.MethodDelete, at, granted, nil)
		after, err := w.people.TokenSource(t.Context(), &oauth2.Token{RefreshToken: with.RefreshToken}).Token()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		w.mustCreate(t, after.AccessToken, http.StatusForbidden)
		w.mustCreate(t, w.login(t, "rita").AccessToken, http.StatusForbidden)
		w.mustRead(t, after.AccessToken)
	}
}
