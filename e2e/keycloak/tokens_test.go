package keycloak

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// TestPasswordGrant is how the README gets tokens.
func TestPasswordGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Issuer(t))
	ada := w.login(t, "ada")
	w.mustRead(t, ada.AccessToken)
	w.mustCreate(t, ada.AccessToken, http.StatusCreated)
	rita := w.login(t, "rita")
	w.mustRead(t, rita.AccessToken)
	w.mustCreate(t, rita.AccessToken, http.StatusForbidden)
	_, err := w.people.PasswordCredentialsToken(t.Context(), "ada", "rita")
	mustBeRefused(t, err, "invalid_grant")
}

// TestClientCredentials gets tokens for the account of each service, which may read but not write, and for that of the operators'
// tool, which may do all.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Issuer(t))
	for account, created := range map[string]int{
		"event-service": http.StatusForbidden, "prospect-service": http.StatusForbidden, "gateway-service": http.StatusForbidden,
		"registry-service": http.StatusForbidden, "meshctl": http.StatusCreated,
	} {
		service := clientcredentials.Config{ClientID: account, ClientSecret: account, TokenURL: w.people.Endpoint.TokenURL}
		token, err := service.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.mustRead(t, token.AccessToken)
		w.mustCreate(t, token.AccessToken, created)
		service.ClientSecret = "guessed"
		_, err = service.Token(t.Context())
		mustBeRefused(t, err, "unauthorized_client")
	}
}

// TestOnlyAccessTokensAreTaken offers the others that Keycloak gives.
func TestOnlyAccessTokensAreTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Issuer(t))
	token := w.login(t, "root")
	w.mustRead(t, token.AccessToken)
	identity, _ := token.Extra("id_token").(string)
	// An ID token is for the client; a refresh token is signed with a secret that Keycloak alone has.
	w.mustRefuse(t, identity, "audience")
	w.mustRefuse(t, token.RefreshToken, "algorithm")
}

// TestRefreshTokens holds that a refresh token is good for one new token, once.
func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Issuer(t))
	first := w.login(t, "ada")
	refresh := &oauth2.Token{RefreshToken: first.RefreshToken}
	second, err := w.people.TokenSource(t.Context(), refresh).Token()
	if err != nil {
		t.Fatal(err)
	}
	if second.AccessToken == first.AccessToken || second.RefreshToken == first.RefreshToken {
		t.Error("the tokens are the same as before")
	}
	w.mustRead(t, second.AccessToken)
	_, err = w.people.TokenSource(t.Context(), refresh).Token()
	mustBeRefused(t, err, "invalid_grant")
}

// TestAuthorizationCode logs in as a user with a browser does, and changes the code for tokens. PKCE is RFC 7636.
func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Issuer(t))
	verifier := oauth2.GenerateVerifier()
	code := w.mustAuthorize(t, "ada", verifier)
	token, err := w.people.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	w.mustRead(t, token.AccessToken)
	w.mustCreate(t, token.AccessToken, http.StatusCreated)

	_, err = w.people.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
	mustBeRefused(t, err, "invalid_grant")
	// Keycloak ends the session of a code that is used twice; the token at hand is good until it expires all the same.
	w.mustRead(t, token.AccessToken)
	_, err = w.people.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	mustBeRefused(t, err, "invalid_grant")
}

// TestACodeIsGoodForWhoHasTheVerifierAlone is what PKCE is for.
func TestACodeIsGoodForWhoHasTheVerifierAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Issuer(t))
	for name, options := range map[string][]oauth2.AuthCodeOption{
		"another":        {oauth2.VerifierOption(oauth2.GenerateVerifier())},
		"none":           nil,
		"other redirect": {oauth2.SetAuthURLParam("redirect_uri", "http://localhost:8081/back")},
	} {
		verifier := oauth2.GenerateVerifier()
		code := w.mustAuthorize(t, "rita", verifier)
		if name == "other redirect" {
			options = append(options, oauth2.VerifierOption(verifier))
		}
		token, err := w.people.Exchange(t.Context(), code, options...)
		if err == nil {
			t.Errorf("%s: got the token of %s", name, token.TokenType)
			continue
		}
		mustBeRefused(t, err, "invalid_grant")
	}
}

// TestKeycloakSendsNobodyElsewhere tries what an application may not ask for.
func TestKeycloakSendsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	people := oauth2.Config{ClientID: "gateway-cli", Endpoint: endpoint(Issuer(t)), Scopes: []string{"openid"}}
	challenge := oauth2.S256ChallengeOption(oauth2.GenerateVerifier())
	for redirect, options := range map[string][]oauth2.AuthCodeOption{
		"http://evil.example/back":              {challenge},
		"https://127.0.0.1:4711/back":           {challenge},
		"http://127.0.0.1.evil.example/back":    {challenge},
		"http://127.0.0.1@evil.example/back":    {challenge},
		"http://localhost:8082/back":            {challenge},
		"http://localhost:8081.evil.example/":   {challenge},
		"http://localhost:8081/../../elsewhere": {challenge},
	} {
		people.RedirectURL = redirect
		back, err := authorize(t, &people, "ada", options...)
		if !errors.Is(err, errPage) || !strings.Contains(err.Error(), "redirect_uri") {
			t.Errorf("%s: sent back with %v, error %v", redirect, back, err)
		}
	}
	people.RedirectURL = "http://127.0.0.1:4711/back"
	for name, options := range map[string][]oauth2.AuthCodeOption{
		"no challenge":    nil,
		"plain challenge": {oauth2.SetAuthURLParam("code_challenge", oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("code_challenge_method", "plain")},
		"implicit flow":   {challenge, oauth2.SetAuthURLParam("response_type", "token")},
		"unknown scope":   {challenge, oauth2.SetAuthURLParam("scope", "openid everything")},
	} {
		back, err := authorize(t, &people, "ada", options...)
		if err != nil || back.Get("error") == "" || back.Has("code") || back.Has("access_token") {
			t.Errorf("%s: sent back with %v, error %v", name, back, err)
		}
	}
	people.RedirectURL = "http://localhost:8081/back"
	if _, err := authorizeAs(t, &people, "ada", "guessed", challenge); !errors.Is(err, errPage) {
		t.Errorf("wrong password: error %v", err)
	}
}

// mustAuthorize gives the code with which Keycloak sends a user back.
func (w *world) mustAuthorize(t *testing.T, user, verifier string) string {
	t.Helper()
	back, err := authorize(t, &w.people, user, oauth2.S256ChallengeOption(verifier))
	if err != nil || back.Get("code") == "" || back.Get("state") != state {
		t.Fatalf("sent back with %v, error %v", back, err)
	}
	return back.Get("code")
}

// state is what an application knows its request by.
const state = "here-i-was"

func authorize(t *testing.T, people *oauth2.Config, user string, options ...oauth2.AuthCodeOption) (url.Values, error) {
	t.Helper()
	return authorizeAs(t, people, user, user, options...)
}

func authorizeAs(t *testing.T, people *oauth2.Config, user, password string, options ...oauth2.AuthCodeOption) (url.Values, error) {
	t.Helper()
	at, _ := server(t)
	b, err := newBrowser(at.String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	return b.authorize(t.Context(), people.AuthCodeURL(state, options...), user, password)
}

// mustBeRefused holds what the token endpoint answers (RFC 6749, section 5.2).
func mustBeRefused(t *testing.T, err error, code string) {
	t.Helper()
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.ErrorCode != code {
		t.Errorf("want the refusal %s, got %v", code, err)
	}
}
