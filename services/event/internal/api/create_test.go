package api

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

const someID = "0195f0c8-1111-7000-8000-000000000001"

func TestCreateAndGet(t *testing.T) {
	t.Parallel()
	r := start(t)
	// What only the server sets is passed over.
	e := r.plan(t, &eventv1.CreateEventRequest{Event: &eventv1.Event{
		Id: "mine", Name: "Conference", DateEvent: "2026-11-23", Kind: eventv1.Event_PROSPECT_DELETED, ProspectId: "p", Etag: "x",
	}})
	if e.GetId() == "mine" || e.GetName() != "Conference" || e.GetDateEvent() != "2026-11-23" || e.GetProspectId() != "" ||
		e.GetKind() != eventv1.Event_PLANNED || e.GetEtag() == "x" || !proto.Equal(e.GetCreateTime(), e.GetUpdateTime()) {
		t.Errorf("created %v", e)
	}
	found, err := r.GetEvent(meshtest.As(t, r.issuer.Token("reader")), &eventv1.GetEventRequest{Id: e.GetId()})
	if err != nil || !proto.Equal(found, e) {
		t.Errorf("got %v, %v", found, err)
	}
	_, err = r.GetEvent(meshtest.As(t, r.issuer.Token("reader")), &eventv1.GetEventRequest{Id: "none"})
	wantFault(t, "unknown", err, fault.NotFound)
	_, err = r.GetEvent(meshtest.As(t, r.issuer.Token("reader")), &eventv1.GetEventRequest{})
	wantFault(t, "no id", err, fault.Invalid, "id")
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	r := start(t)
	cases := map[string]struct {
		req    *eventv1.CreateEventRequest
		fields []string
	}{
		"no event":        {&eventv1.CreateEventRequest{}, []string{"event"}},
		"no name":         {&eventv1.CreateEventRequest{Event: &eventv1.Event{}}, []string{"event.name"}},
		"blank name":      {&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: " \t"}}, []string{"event.name"}},
		"201 characters":  {&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: strings.Repeat("é", 201)}}, []string{"event.name"}},
		"no such day":     {&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n", DateEvent: "2026-02-30"}}, []string{"event.date_event"}},
		"no date":         {&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n", DateEvent: "tomorrow"}}, []string{"event.date_event"}},
		"both":            {&eventv1.CreateEventRequest{Event: &eventv1.Event{DateEvent: "2026-02-30"}}, []string{"event.name", "event.date_event"}},
		"an id not ours":  {&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n"}, EventId: "1"}, []string{"event_id"}},
		"a bad requestid": {&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n"}, RequestId: "1"}, []string{"request_id"}},
	}
	for name, c := range cases {
		_, err := r.CreateEvent(meshtest.As(t, r.issuer.Token("editor")), c.req)
		wantFault(t, name, err, fault.Invalid, c.fields...)
	}
	emoji := strings.Repeat("🎪", 200)
	if e := r.plan(t, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: emoji}}); e.GetName() != emoji || e.GetDateEvent() != "" {
		t.Errorf("200 emoji became %v", e)
	}
}

func TestCreateWithAnID(t *testing.T) {
	t.Parallel()
	r := start(t)
	req := &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n"}, EventId: someID}
	if e := r.plan(t, req); e.GetId() != someID {
		t.Errorf("created %v", e)
	}
	_, err := r.CreateEvent(meshtest.As(t, r.issuer.Token("editor")), req)
	wantFault(t, "taken", err, fault.AlreadyExists)
}

func TestCreateAgainWithTheRequestID(t *testing.T) {
	t.Parallel()
	r := start(t)
	req := &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n"}, RequestId: someID}
	if first, again := r.plan(t, req), r.plan(t, req); !proto.Equal(first, again) {
		t.Errorf("%v, then %v", first, again)
	}
	other := r.plan(t, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "n"}, RequestId: strings.Replace(someID, "1", "2", 1)})
	list, err := r.ListEvents(meshtest.As(t, r.issuer.Token("reader")), &eventv1.ListEventsRequest{})
	if err != nil || len(list.GetEvents()) != 2 || list.GetEvents()[1].GetId() != other.GetId() {
		t.Errorf("%v, %v", list, err)
	}
}

func TestBatchGet(t *testing.T) {
	t.Parallel()
	r := start(t)
	all := ids(r.create(t, "a", "b", "c"))
	asked := []string{all[2], all[0], all[2], all[1]}
	found, err := r.BatchGetEvents(meshtest.As(t, r.issuer.Token("reader")), &eventv1.BatchGetEventsRequest{Ids: asked})
	if err != nil || strings.Join(ids(found.GetEvents()), " ") != strings.Join(asked, " ") {
		t.Errorf("%v, %v", found, err)
	}
	_, err = r.BatchGetEvents(meshtest.As(t, r.issuer.Token("reader")), &eventv1.BatchGetEventsRequest{Ids: []string{all[0], "none", "neither"}})
	wantFault(t, "missing", err, fault.NotFound)
	if err != nil && !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("the error doesn't name the first that is missing: %v", err)
	}
	for name, c := range map[string]struct {
		ids   []string
		field string
	}{
		"nothing":  {nil, "ids"},
		"101":      {strings.Split(strings.Repeat("a", 101), ""), "ids"},
		"empty id": {[]string{"a", ""}, "ids[1]"},
	} {
		_, err := r.BatchGetEvents(meshtest.As(t, r.issuer.Token("reader")), &eventv1.BatchGetEventsRequest{Ids: c.ids})
		wantFault(t, name, err, fault.Invalid, c.field)
	}
}
