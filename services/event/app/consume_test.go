package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	eventv1 "eventprospect/gen/event/v1"
	eventsv1 "eventprospect/gen/prospect/events/v1"
	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/app"
)

// TestConsumingIsToldToPrometheus holds the names that docs/messaging.md promises.
func TestConsumingIsToldToPrometheus(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	p := meshtest.Run(t, "event", cfg, app.Bind)
	publish(t, cfg, "0195f0c8-1111-7000-8000-000000000001")
	publish(t, cfg, "none")
	want := []string{
		"messaging_client_consumed_messages_total{", "messaging_process_duration_seconds_count{", "messaging_dlq_messages_total{",
		"messaging_consumer_lag{", `reason="invalid"`, `messaging_destination_name="prospect-events"`, `messaging_consumer_group_name="event"`,
	}
	for deadline := time.Now().Add(meshtest.Patience); ; time.Sleep(5 * time.Millisecond) {
		text := metrics(t, p)
		missing := ""
		for _, part := range want {
			if !strings.Contains(text, part) {
				missing = part
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s isn't in\n%s", missing, text)
		}
	}
}

func metrics(t *testing.T, p *meshtest.Process) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + p.Admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEventsAreRestored(t *testing.T) {
	t.Parallel()
	const id = "0195f0c8-1111-7000-8000-000000000001"
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	p := meshtest.Run(t, "event", cfg, app.Bind)
	publish(t, cfg, id)
	awaitHistory(t, p, issuer, 1)
	conn := meshtest.Dial(t, p.Address)
	events, admin := eventv1.NewEventServiceClient(conn), meshtest.As(t, issuer.Token("admin", "editor", "reader"))
	list, err := events.ListEvents(admin, &eventv1.ListEventsRequest{ProspectId: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.DeleteEvent(admin, &eventv1.DeleteEventRequest{Id: list.GetEvents()[0].GetId()}); err != nil {
		t.Fatal(err)
	}
	answer, err := eventv1.NewRestoreServiceClient(conn).RestoreEvents(admin, &eventv1.RestoreEventsRequest{Messages: []*eventsv1.ProspectEvent{
		{Id: id, Kind: eventsv1.ProspectEvent_CREATED, ProspectId: "p", Version: 1, OccurTime: timestamppb.Now()},
	}})
	if err != nil || answer.GetRestoredCount() != 1 {
		t.Errorf("%v, error %v", answer, err)
	}
	awaitHistory(t, p, issuer, 1)
}
