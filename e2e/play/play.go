package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"eventprospect/e2e/client"
)

// The doors of a system.
const (
	doorGRPC = "grpc"
	doorREST = "rest"
)

// retryEvery is how often a step that may take a while asks again.
const retryEvery = 5 * time.Millisecond

// Playing is a case through one door.
type Playing struct {
	Case
	// Door is grpc, rest-1 (the first REST path of every RPC), rest-2 (the second where there is one), and so on.
	Door string
	path int // which REST path; -1 over gRPC
}

// Playings gives every way to play a case.
func (c Case) Playings() []Playing {
	var all []Playing
	paths := c.paths()
	if paths > 0 && c.has(doorGRPC) {
		all = append(all, Playing{c, doorGRPC, -1})
	}
	for i := range max(paths, 1) {
		if c.has(doorREST) {
			all = append(all, Playing{c, fmt.Sprint(doorREST, "-", i+1), i})
		}
	}
	return all
}

func (c Case) has(door string) bool { return len(c.Doors) == 0 || slices.Contains(c.Doors, door) }

// paths is the greatest number of REST paths that one of its RPCs has.
func (c Case) paths() int {
	most := 0
	for _, s := range c.Steps {
		if rpc, err := findRPC(s.Call); err == nil {
			most = max(most, len(bindingsOf(rpc)))
		}
	}
	return most
}

// Play plays the case, and returns the words that nobody but the two sides may have seen. The error names the step that
// wasn't answered as wanted.
func (p Playing) Play(ctx context.Context, c *client.Client) (secret string, err error) {
	vars := newVariables()
	for i, step := range p.Steps {
		if step.HTTP != nil && p.Door == doorGRPC {
			continue
		}
		for n := range step.Times {
			vars["n"] = fmt.Sprint(n + 1)
			if err := p.step(ctx, c, step, vars); err != nil {
				return vars["name"], fmt.Errorf("step %d (%s): %w", i+1, step, err)
			}
		}
	}
	return vars["name"], nil
}

// String names the request.
func (s Step) String() string {
	if s.HTTP != nil {
		return s.HTTP.Method + " " + s.HTTP.Path
	}
	return s.Call
}

// step plays one step; if it may take a while, until the answer is the one wanted or patience runs out.
func (p Playing) step(ctx context.Context, c *client.Client, s Step, vars variables) error {
	ctx, cancel := context.WithTimeout(ctx, client.Patience)
	defer cancel()
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	for {
		got, err := p.ask(ctx, c, s, vars)
		if err != nil {
			return err
		}
		wrong := got.differences(s.Want, vars)
		if len(wrong) == 0 {
			return save(s, got, vars)
		}
		err = errors.New(strings.Join(wrong, "\n\t") + "\n\tanswer: " + show(got.body) + " " + got.detail)
		if !s.Eventually {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("not in %v: %w", client.Patience, err)
		}
	}
}

func (p Playing) ask(ctx context.Context, c *client.Client, s Step, vars variables) (answer, error) {
	if s.HTTP != nil {
		return raw(ctx, c, s, vars)
	}
	rpc, err := findRPC(s.Call)
	if err != nil {
		return answer{}, err
	}
	value, err := tree(&s.Request, vars)
	if err != nil {
		return answer{}, err
	}
	request, ok := value.(map[string]any)
	if !ok {
		return answer{}, errors.New("request must be an object")
	}
	if p.path < 0 {
		return overGRPC(ctx, c, s.As, rpc, request)
	}
	return overREST(ctx, c, s.As, rpc, p.binding(s), request)
}

// binding gives the REST path to take: the playing's, or the last one of an RPC that has fewer.
func (p Playing) binding(s Step) binding {
	rpc, err := findRPC(s.Call)
	if err != nil {
		return binding{}
	}
	all := bindingsOf(rpc)
	return all[min(p.path, len(all)-1)]
}

func raw(ctx context.Context, c *client.Client, s Step, vars variables) (answer, error) {
	path, err := vars.expand(s.HTTP.Path)
	if err != nil {
		return answer{}, err
	}
	body, err := vars.expand(s.HTTP.Body)
	if err != nil {
		return answer{}, err
	}
	headers := map[string]string{}
	for name, value := range s.HTTP.Headers {
		if headers[name], err = vars.expand(value); err != nil {
			return answer{}, err
		}
	}
	a, _, err := send(ctx, c, s.As, s.HTTP.Method, path, body, headers)
	return a, err
}

// save gives names to parts of the answer. The name may hold a variable: id${n}.
func save(s Step, got answer, vars variables) error {
	for name, path := range s.Save {
		value, err := at(got.body, path)
		if err != nil {
			return fmt.Errorf("save: %w", err)
		}
		if name, err = vars.expand(name); err != nil {
			return err
		}
		switch v := value.(type) {
		case string:
			vars[name] = v
		case json.Number:
			vars[name] = v.String()
		default:
			return fmt.Errorf("save: %s is neither text nor a number", path)
		}
	}
	return nil
}

func number(n int) json.Number { return json.Number(fmt.Sprint(n)) }
