//go:build linux

package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"eventprospect/e2e/client"
)

// refusal is an answer of the gateway that is no success.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.text) }

// final tells whether a call would be refused again.
func final(err error) bool {
	var r refusal
	return errors.As(err, &r) && r.code < http.StatusInternalServerError && r.code != http.StatusTooManyRequests
}

// ask makes one call of the gateway, and reads its answer; nil: what it says doesn't count.
func ask(ctx context.Context, c *client.Client, user, method, path, body string, answer any) error {
	req, err := c.Request(ctx, method, path, body)
	if err != nil {
		return err
	}
	resp, err := c.Do(req, user)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // all is read
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= http.StatusMultipleChoices:
		return refusal{resp.StatusCode, string(text)}
	case answer == nil:
		return nil
	}
	return json.Unmarshal(text, answer)
}
