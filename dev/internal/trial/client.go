package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// pollEvery is how often the client asks whether an event is there.
const pollEvery = 2 * time.Millisecond

// client is a JSON client of the gateway that works on one prospect.
type client struct {
	http            *http.Client
	gateway, issuer string
	token, prospect string
}

// login gets a token; in the development realm the password is the user's name.
func (c *client) login(ctx context.Context, user string) error {
	form := url.Values{"grant_type": {"password"}, "client_id": {"gateway-cli"}, "username": {user}, "password": {user}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.issuer+"/protocol/openid-connect/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	_, err = c.do(req, http.StatusOK, &answer)
	c.token = answer.AccessToken
	return err
}

func (c *client) create(ctx context.Context, body string) (string, error) {
	var answer struct {
		ID string `json:"id"`
	}
	header, err := c.call(ctx, http.MethodPost, "/prospects", body, http.StatusCreated, &answer)
	c.prospect = answer.ID
	return "201, " + header.Get("Location"), err
}

func (c *client) change(ctx context.Context, method, body string, want int) (string, error) {
	_, err := c.call(ctx, method, "/prospects/"+c.prospect, body, want, nil)
	return fmt.Sprint(want), err
}

// awaitEvent asks until the prospect's history has an event of this kind, and shows it.
func (c *client) awaitEvent(ctx context.Context, kind string) (string, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		var answer struct {
			Events []struct{ ID, Kind, Name, DateEvent string } `json:"events"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/events?prospectId="+c.prospect, "", http.StatusOK, &answer); err != nil {
			return "", err
		}
		for _, e := range answer.Events {
			if e.Kind == kind {
				return fmt.Sprintf("%s %q on %s", e.Kind, e.Name, e.DateEvent), nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return "", errors.New("there is no event of kind " + kind)
		}
	}
}

func (c *client) call(ctx context.Context, method, path, body string, want int, into any) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.gateway+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	return c.do(req, want, into)
}

// do sends a request and reads the answer into a value, or says how it differs from the status wanted.
func (c *client) do(req *http.Request, want int, into any) (http.Header, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // nothing is left to read
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != want {
		return nil, fmt.Errorf("got %s, want %d: %s", resp.Status, want, text)
	}
	if into == nil {
		return resp.Header, nil
	}
	return resp.Header, json.Unmarshal(text, into)
}
