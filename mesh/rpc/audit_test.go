package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/audit"
)

const (
	createEvent = "/event.v1.EventService/CreateEvent"
	join        = "/registry.v1.RegistryService/Join"
	someID      = "0195f0c8-1111-7000-8000-000000000001"
)

// audited gives the audit's records in a log, without their times.
func audited(t *testing.T, log *buffer) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(log.String()) {
		var record struct {
			Msg, Level string
			Audit      map[string]any
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if record.Msg == audit.Message {
			if record.Level != "INFO" {
				t.Errorf("level is %s", record.Level)
			}
			all = append(all, record.Audit)
		}
	}
	return all
}

// awaitAudited waits until there are as many records as are wanted, and compares them.
func awaitAudited(t *testing.T, log *buffer, want ...map[string]any) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(audited(t, log)) < len(want) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if diff := cmp.Diff(want, audited(t, log)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The log of startPeople shows nothing below ERROR, and yet the audit.
func TestEachChangeIsWrittenDownOnce(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		ctx  context.Context
		err  error
		want map[string]any
	}{
		"done": {calling(t, "ada.editor"), nil, map[string]any{"subject": "ada", "client": "test", "resource": someID, "code": "OK"}},
		"done on behalf of a user": {
			calling(t, "relay.service.editor", "Bearer ada.reader"), nil,
			map[string]any{"subject": "relay", "client": "test", "user": "ada", "user_client": "test", "resource": someID, "code": "OK"},
		},
		"failed":            {calling(t, "ada.editor"), errors.New(secret), map[string]any{"subject": "ada", "client": "test", "code": "INTERNAL"}},
		"without a token":   {t.Context(), nil, map[string]any{"code": "UNAUTHENTICATED"}},
		"with a bad token":  {calling(t, "bad"), nil, map[string]any{"code": "UNAUTHENTICATED"}},
		"without the role":  {calling(t, "ada.reader"), nil, map[string]any{"subject": "ada", "client": "test", "code": "PERMISSION_DENIED"}},
		"for another user":  {calling(t, "ada.editor", "Bearer eve.editor"), nil, map[string]any{"subject": "ada", "client": "test", "code": "PERMISSION_DENIED"}},
		"through a gateway": {metadata.AppendToOutgoingContext(calling(t, "ada.editor"), "x-forwarded-for", "192.0.2.7"), nil, map[string]any{"subject": "ada", "client": "test", "forwarded_for": "192.0.2.7", "resource": someID, "code": "OK"}},
		"from anywhere":     {metadata.AppendToOutgoingContext(calling(t, "ada.editor"), "x-forwarded-for", "192.0.2.7, Meier"), nil, map[string]any{"subject": "ada", "client": "test", "resource": someID, "code": "OK"}},
		"from a zone":       {metadata.AppendToOutgoingContext(calling(t, "ada.editor"), "x-forwarded-for", "fe80::1%Meier"), nil, map[string]any{"subject": "ada", "client": "test", "forwarded_for": "fe80::1", "resource": someID, "code": "OK"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, log := startPeople(t, serveEvents(&events{create: func(context.Context, *eventv1.CreateEventRequest) (*eventv1.Event, error) {
				return &eventv1.Event{Id: someID, Name: secret}, c.err
			}}))
			_, _ = eventsAt(t, address).CreateEvent(c.ctx, &eventv1.CreateEventRequest{Event: &eventv1.Event{Id: "forged", Name: secret}})
			c.want["method"], c.want["peer"] = createEvent, "127.0.0.1"
			awaitAudited(t, log, c.want)
			if len(c.want) > 0 && c.err == nil && strings.Contains(log.String(), secret) {
				t.Errorf("the log tells too much: %s", log)
			}
		})
	}
}

func TestReadingIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	address, log := startPeople(t, serveEvents(good()))
	client := eventsAt(t, address)
	for _, caller := range []string{"ada.reader", "ada.editor", "bad"} {
		_, _ = client.GetEvent(calling(t, caller), &eventv1.GetEventRequest{Id: "x"})
	}
	if got := audited(t, log); len(got) != 0 {
		t.Errorf("written down: %v", got)
	}
}

func TestAJoinIsWrittenDownWhenItSucceeds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		caller string
		answer bool
		want   map[string]any
	}{
		"joined":           {"event.service", true, map[string]any{"subject": "event", "client": "test", "resource": "i-1", "code": "OK"}},
		"failed":           {"event.service", false, map[string]any{"subject": "event", "client": "test", "code": "INTERNAL"}},
		"without the role": {"ada.reader", true, map[string]any{"subject": "ada", "client": "test", "code": "PERMISSION_DENIED"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, log := startPeople(t, func(r grpc.ServiceRegistrar) {
				registryv1.RegisterRegistryServiceServer(r, &joins{join: func(s joinStream) error {
					if _, err := s.Recv(); err != nil {
						return err
					}
					for range 3 {
						if c.answer && s.Send(&registryv1.JoinResponse{}) != nil {
							break
						}
					}
					return errors.New("broken")
				}})
			})
			stream, err := registryv1.NewRegistryServiceClient(dial(t, address)).Join(calling(t, c.caller))
			if err != nil {
				t.Fatal(err)
			}
			instance := &registryv1.Instance{Service: "event", Id: "i-1", Address: "127.0.0.1:1", Status: registryv1.Instance_UP}
			_ = stream.Send(&registryv1.JoinRequest{Instance: instance})
			for err == nil {
				_, err = stream.Recv()
			}
			c.want["method"], c.want["peer"] = join, "127.0.0.1"
			awaitAudited(t, log, c.want)
		})
	}
}
