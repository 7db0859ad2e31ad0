package app_test

import (
	"testing"

	"google.golang.org/grpc/metadata"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/meshtest/attack"
	"eventprospect/services/event/app"
)

func TestAttacksChangeNothing(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	p := meshtest.Run(t, "event", config(t, issuer), app.Bind)
	client := eventv1.NewEventServiceClient(meshtest.Dial(t, p.Address))
	attacks := attack.Table(t, issuer)
	service := meshtest.As(t, issuer.Token(auth.ServiceRole, "editor"))
	for _, a := range attacks {
		forged := metadata.AppendToOutgoingContext(t.Context(), "authorization", a.Header)
		onBehalf := metadata.AppendToOutgoingContext(service, auth.UserHeader, a.Header)
		request := &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "Fair", DateEvent: "2026-11-23"}}
		if _, err := client.CreateEvent(forged, request); !fault.Is(err, a.Kind) {
			t.Errorf("%s: got %v", a.Name, err)
		}
		if _, err := client.CreateEvent(onBehalf, request); !fault.Is(err, a.Kind) {
			t.Errorf("%s, beside a service's own token: got %v", a.Name, err)
		}
	}
	list, err := client.ListEvents(meshtest.As(t, issuer.Token("reader")), &eventv1.ListEventsRequest{})
	if err != nil || len(list.GetEvents()) > 0 || len(attacks) < 40 {
		t.Errorf("after %d attacks: %v, %v", len(attacks), list, err)
	}
}
