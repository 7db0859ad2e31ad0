package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// token is an access token, and when to ask for a new one.
type token struct {
	text  string
	renew time.Time
}

// Token gives a user's token: by the password grant, as the README shows it. It is empty for Nobody.
func (c *Client) Token(ctx context.Context, user string) (string, error) {
	switch user {
	case Nobody:
		return "", nil
	case Forger:
		return forged, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tokens[user]; time.Now().Before(t.renew) {
		return t.text, nil
	}
	t, err := c.login(ctx, user)
	if err != nil {
		return "", fmt.Errorf("token for %s: %w", user, err)
	}
	c.tokens[user] = t
	c.seen = append(c.seen, t.text)
	return t.text, nil
}

// Tokens gives every token that was used, for a search in places where none may be.
func (c *Client) Tokens() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

func (c *Client) login(ctx context.Context, user string) (token, error) {
	form := url.Values{"grant_type": {"password"}, "client_id": {"gateway-cli"}, "username": {user}, "password": {user}}
	target := c.Issuer + "/protocol/openid-connect/token"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.http.Do(req)
	if err != nil {
		return token{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if resp.StatusCode != http.StatusOK {
		return token{}, fmt.Errorf("the issuer answers %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return token{}, err
	}
	// Half of its life is left for whoever has just been given it.
	life := time.Duration(answer.ExpiresIn) * time.Second
	return token{answer.AccessToken, time.Now().Add(life / 2)}, nil
}
