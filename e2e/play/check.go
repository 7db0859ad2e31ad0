package play

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"google.golang.org/grpc/codes"

	"eventprospect/e2e/client"
)

var users = []string{client.Editor, client.Reader, client.Admin, client.Nobody, client.Forger}

// check refuses a case that can't be played, before anything runs.
func (c Case) check() error {
	for _, door := range c.Doors {
		if door != doorGRPC && door != doorREST {
			return fmt.Errorf("there is no door %q", door)
		}
	}
	if len(c.Steps) == 0 {
		return errors.New("has no steps")
	}
	for i := range c.Steps {
		if err := c.Steps[i].check(c.has(doorREST)); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return nil
}

// check also fills in what may be left out. What is played over REST must have a path there.
func (s *Step) check(rest bool) error {
	if s.As == "" {
		s.As = client.Editor
	}
	if !slices.Contains(users, s.As) {
		return fmt.Errorf("as: there is no user %q", s.As)
	}
	s.Times = max(s.Times, 1)
	if (s.Call == "") == (s.HTTP == nil) {
		return errors.New("needs either call or http")
	}
	if http.StatusText(s.Want.Status) == "" {
		return fmt.Errorf("want.status: %d is no status", s.Want.Status)
	}
	if s.HTTP != nil {
		return nil
	}
	if _, err := s.Want.code(); err != nil {
		return err
	}
	rpc, err := findRPC(s.Call)
	if err != nil {
		return err
	}
	switch {
	case rpc.IsStreamingClient() || rpc.IsStreamingServer():
		return fmt.Errorf("%s is a stream", s.Call)
	case rest && len(bindingsOf(rpc)) == 0:
		return fmt.Errorf("%s has no REST path", s.Call)
	}
	return nil
}

func (w Want) code() (codes.Code, error) {
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(`"` + w.Code + `"`)); err != nil {
		return 0, fmt.Errorf("want.code: %q is no code", w.Code)
	}
	return code, nil
}
