//go:build linux

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/conf"
	"eventprospect/mesh/rpc"

	"eventprospect/e2e/chaos/internal/fleet"
	"eventprospect/e2e/chaos/internal/load"
	"eventprospect/e2e/client"
)

// account is the service that the caller is.
const account = "prospect-service"

// caller calls the instances through what the mesh is made of.
type caller struct {
	call  load.Call
	close func() error
}

// throughMesh makes a caller like any service of the mesh: this very process is one, with mesh's own client chain and resolver.
func throughMesh(f *fleet.Fleet, registries string) (*caller, error) {
	log, err := os.Create(filepath.Join(f.Folder, "caller.log"))
	if err != nil {
		return nil, err
	}
	cfg := mesh.Defaults("0", "0", account)
	cfg.Listen, cfg.Admin, cfg.Registry = "127.0.0.1:0", "127.0.0.1:0", registries
	cfg.Auth.Issuer, cfg.Auth.ClientSecret = f.Issuer, conf.Secret(account)
	ctx, cancel := context.WithCancel(context.Background())
	connected, ended := make(chan *grpc.ClientConn, 1), make(chan error, 1)
	go func() {
		ended <- mesh.Run(ctx, "caller", cfg, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
			conn, err := app.Connect(service, grpc.WithPerRPCCredentials(app.Account))
			if err == nil {
				connected <- conn
			}
			return err
		}, mesh.WithLog(log))
	}()
	stop := func() error { cancel(); return errors.Join(<-ended, log.Close()) }
	select {
	case conn := <-connected:
		events := eventv1.NewEventServiceClient(conn)
		return &caller{close: stop, call: func(ctx context.Context) (string, error) {
			answer, err := events.ListEvents(ctx, &eventv1.ListEventsRequest{PageSize: 1})
			return nameIn(answer), err
		}}, nil
	case err := <-ended:
		cancel()
		return nil, errors.Join(err, log.Close())
	}
}

// nameIn gives the name of the one event that each instance has: its address.
func nameIn(answer *eventv1.ListEventsResponse) string {
	if len(answer.GetEvents()) == 0 {
		return "unknown"
	}
	return answer.GetEvents()[0].GetName()
}

// throughGateway makes a caller that speaks JSON to a gateway.
func throughGateway(f *fleet.Fleet, gateway *fleet.Node) (*caller, error) {
	c, err := client.New(client.Endpoints{Gateway: "http://" + gateway.Address, Issuer: f.Issuer})
	if err != nil {
		return nil, err
	}
	return &caller{close: func() error { c.Close(); return nil }, call: func(ctx context.Context) (string, error) {
		req, err := c.Request(ctx, http.MethodGet, "/v1/events?pageSize=1", "")
		if err != nil {
			return "", err
		}
		resp, err := c.Do(req, client.Reader)
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }() // all is read
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return "", err
		}
		if resp.StatusCode != http.StatusOK {
			return "", httpError{resp.StatusCode, string(text)}
		}
		var answer struct{ Events []struct{ Name string } }
		if err := json.Unmarshal(text, &answer); err != nil || len(answer.Events) == 0 {
			return "unknown", err
		}
		return answer.Events[0].Name, nil
	}}, nil
}

// httpError is an answer other than 200.
type httpError struct {
	code int
	text string
}

func (e httpError) Error() string { return fmt.Sprintf("%d %s", e.code, e.text) }

// nameOf gives what a failure is counted as.
func nameOf(err error) string {
	var answer httpError
	if errors.As(err, &answer) {
		return fmt.Sprint(answer.code)
	}
	return rpc.ToStatus(err).Code().String()
}

// warm calls until every one of so many instances has answered.
func (c *caller) warm(ctx context.Context, instances int) error {
	ctx, cancel := context.WithTimeout(ctx, seenPatience)
	defer cancel()
	answered := map[string]bool{}
	for len(answered) < instances {
		instance, err := c.call(ctx)
		if err != nil {
			return fmt.Errorf("before the load: %w", err)
		}
		answered[instance] = true
		time.Sleep(time.Millisecond)
	}
	return nil
}
