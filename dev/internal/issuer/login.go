package issuer

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"

	"github.com/zitadel/oidc/v3/pkg/op"
)

//go:embed login.html
var loginHTML string

// loginView is what the page shows. Without an action it only tells the problem.
type loginView struct {
	Realm, Client, Action, Username, Problem, Nonce string
}

// showLogin asks for name and password.
func (i *Issuer) showLogin(w http.ResponseWriter, r *http.Request) {
	waiting, ok := i.logins.get(r.Form.Get("id"))
	if !ok {
		over := loginView{Problem: "This sign-in is over. Please start again from the application."}
		i.page(w, http.StatusBadRequest, login{}, over)
		return
	}
	i.page(w, http.StatusOK, waiting, loginView{})
}

// signIn checks name and password, and sends the browser back to the client with a code.
func (i *Issuer) signIn(w http.ResponseWriter, r *http.Request) {
	waiting, ok := i.logins.get(r.Form.Get("id"))
	if !ok {
		i.showLogin(w, r)
		return
	}
	name := r.PostForm.Get("username")
	who, ok := i.realm.checkPassword(name, r.PostForm.Get("password"))
	if !ok {
		i.page(w, http.StatusUnprocessableEntity, waiting, loginView{Username: name, Problem: "Invalid username or password."})
		return
	}
	s, err := i.realm.clients[waiting.asked.ClientID].session(who, waiting.asked.Scopes, true)
	if err != nil {
		refuse(w, r, err)
		return
	}
	s.nonce = waiting.asked.Nonce
	waiting.session = s
	i.logins.put(waiting.id, waiting)
	w.Header().Set("Cache-Control", "no-store") // the answer holds the code
	op.AuthResponse(waiting, i.provider, w, r)
}

// page writes the login page. A form may only lead here and, since browsers hold the redirect that follows to
// the same rule, to the client that waits.
func (i *Issuer) page(w http.ResponseWriter, status int, waiting login, view loginView) {
	formTargets := "'self'"
	view.Realm, view.Nonce = i.realm.name, rand.Text()
	if waiting.asked != nil {
		view.Client = waiting.asked.ClientID
		view.Action = protocolClient{issuer: i}.LoginURL(waiting.id)
		if back, err := url.Parse(waiting.asked.RedirectURI); err == nil {
			formTargets += " " + back.Scheme + "://" + back.Host
		}
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+view.Nonce+"'; form-action "+formTargets+
		"; base-uri 'none'; frame-ancestors 'none'")
	head.Set("Cache-Control", "no-store")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = i.login.Execute(w, view) // it fails when the browser has gone; nobody is left to tell
}

// parseLogin reads the page once, when the issuer is made.
func parseLogin() (*template.Template, error) {
	return template.New("login").Parse(loginHTML)
}
