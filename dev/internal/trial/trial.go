// Package trial walks the main path once, as a client would, over REST.
package trial

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"eventprospect/dev/system"
)

// patience bounds each step.
const patience = 20 * time.Second

// Run starts the system, walks the main path, and prints each step with its time. The error names the step that failed.
func Run(ctx context.Context, cfg system.Config, out io.Writer) (err error) {
	begin := time.Now()
	s, err := system.Start(ctx, cfg)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer func() {
		if stopped := s.Stop(); err == nil && stopped != nil {
			err = fmt.Errorf("stop: %w", stopped)
		}
	}()
	fmt.Fprintf(out, "%8.1f ms  system ready at %s\n", milliseconds(begin), s.Gateway)
	c := &client{http: &http.Client{Timeout: patience}, gateway: s.Gateway, issuer: s.Issuer}
	for _, step := range steps {
		begin = time.Now()
		limited, cancel := context.WithTimeout(ctx, patience)
		result, err := step.run(limited, c)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		fmt.Fprintf(out, "%8.1f ms  %s: %s\n", milliseconds(begin), step.name, result)
	}
	return nil
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// steps are the main path. Each returns what to show of its result.
var steps = []struct {
	name string
	run  func(context.Context, *client) (string, error)
}{
	{"get a token for ada", func(ctx context.Context, c *client) (string, error) {
		return "editor", c.login(ctx, "ada")
	}},
	{"POST /prospects", func(ctx context.Context, c *client) (string, error) {
		return c.create(ctx, `{"firstName": "Grace", "lastName": "Hopper", "filedWork": "R&D / IT"}`)
	}},
	{"GET the event that it caused", func(ctx context.Context, c *client) (string, error) {
		return c.awaitEvent(ctx, "PROSPECT_CREATED")
	}},
	{"PATCH the prospect", func(ctx context.Context, c *client) (string, error) {
		return c.change(ctx, http.MethodPatch, `{"filedWork": "Génie civil"}`, http.StatusOK)
	}},
	{"GET the event that it caused", func(ctx context.Context, c *client) (string, error) {
		return c.awaitEvent(ctx, "PROSPECT_UPDATED")
	}},
	{"DELETE the prospect", func(ctx context.Context, c *client) (string, error) {
		return c.change(ctx, http.MethodDelete, "", http.StatusNoContent)
	}},
	{"GET the event that it caused", func(ctx context.Context, c *client) (string, error) {
		return c.awaitEvent(ctx, "PROSPECT_DELETED")
	}},
}
