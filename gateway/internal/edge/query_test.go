package edge_test

import (
	"net/http"
	"testing"

	"google.golang.org/protobuf/proto"

	eventv1 "eventprospect/gen/event/v1"
)

func TestABadQueryIsExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const number = "must be a whole number from -2147483648 to 2147483647"
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/v1/events?kindd=PLANNED", "kindd: unknown query parameter"},
		{"GET", "/v1/events?utm_source=x&a=b", "a: unknown query parameter; utm_source: unknown query parameter"},
		{"GET", "/v1/events?=x", ": unknown query parameter"},
		{"GET", "/events?pageSize=abc", "pageSize: " + number},
		{"GET", "/events?page_size=", "page_size: " + number},
		{"GET", "/events?pageSize=3000000000", "pageSize: " + number},
		{"GET", "/events?pageSize=1.5&pageNbr=x", "pageNbr: " + number + "; pageSize: " + number},
		{"GET", "/events?pageSize=1&pageSize=2", "pageSize: is given more than once"},
		{"GET", "/events?pageSize=1&page_size=1", "page_size: is given more than once"},
		{"GET", "/events?pageSize=-1", "pageSize: must be greater than or equal to 0"},
		{"GET", "/v1/events?kind=PARTY", "kind: must be one of KIND_UNSPECIFIED, PLANNED, PROSPECT_CREATED, PROSPECT_UPDATED, PROSPECT_DELETED"},
		{"GET", "/v1/events?kind=99", "kind: must be one of KIND_UNSPECIFIED, PLANNED, PROSPECT_CREATED, PROSPECT_UPDATED, PROSPECT_DELETED"},
		{"GET", "/v1/events?dateEvent=tomorrow", "dateEvent: must be a date as yyyy-MM-dd"},
		{"GET", "/v1/events?prospectId=%ff", "prospectId: must be UTF-8, percent-encoded"},
		{"GET", "/v1/events/x?id=y", "id: is part of the path, and can't be given again in the query"},
		{"GET", "/v1/events/x?verbose=1", "verbose: unknown query parameter"},
		{"GET", "/v1/events:batchGet", "ids: must contain at least 1 item(s)"},
		{"GET", "/v1/events:batchGet?ids=a&ids=", "ids[1]: must be at least 1 characters"},
		{"POST", "/v1/events?event=x", "event: belongs in the body, not in the query"},
		{"POST", "/v1/events?event.name=x", "event.name: unknown query parameter"},
		{"POST", "/v1/events?name=x", "name: unknown query parameter"},
		{"POST", "/v1/events?requestId=x", "requestId: must be a valid UUID"},
		{"PATCH", "/events/x?updateMask=nickname", "updateMask: names an unknown field: nickname"},
		{"PATCH", "/events/x?update_mask=name,event.name", "update_mask: names an unknown field: event.name"},
		{"PATCH", "/events/x?updateMask.paths=name", "updateMask.paths: unknown query parameter"},
		{"PATCH", "/events/x?id=y", "id: unknown query parameter"},
		{"DELETE", "/events/x?etags=y", "etags: unknown query parameter"},
	} {
		r := request{method: c.method, path: c.path}
		if c.method == "POST" || c.method == "PATCH" {
			r.body = `{"name":"a"}`
		}
		if got := w.do(r).problem(t, http.StatusBadRequest, "INVALID").fields(); got != c.want {
			t.Errorf("%s %s: got  %s\nwant %s", c.method, c.path, got, c.want)
		}
	}
	for _, path := range []string{"/v1/events?a=%zz", "/v1/events?a;b", "/v1/events?pageSize=%"} {
		w.do(request{method: "GET", path: path}).problem(t, http.StatusBadRequest, "INVALID")
	}
}

func TestAQueryReachesTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := &eventv1.ListEventsRequest{PageSize: 5, PageToken: "a b+c&d", Kind: eventv1.Event_PLANNED, ProspectId: "p/é", DateEvent: "2026-01-01"}
	for _, path := range []string{
		"/v1/events?pageSize=5&pageToken=a+b%2Bc%26d&kind=PLANNED&prospectId=p/%C3%A9&dateEvent=2026-01-01",
		"/v1/events/?page_size=5&page_token=a%20b%2bc%26d&kind=1&prospect_id=p%2F%C3%A9&date_event=2026-01-01&",
	} {
		if got := w.do(request{method: "GET", path: path}); got.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.StatusCode, got.body)
		}
		if _, got := w.events.Seen(); !proto.Equal(got, want) {
			t.Errorf("%s: got %v", path, got)
		}
	}
}

func TestAMaskSaysWhatIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(request{method: "POST", path: "/events", body: `{"name":"Fair","dateEvent":"2026-01-01"}`})
	for _, c := range []struct{ query, body, want string }{
		{"", `{}`, ""},
		{"", `{"name":"A"}`, "name"},
		{"", `{"name":"A","dateEvent":null}`, "date_event,name"},
		{"", `{"date_event":""}`, "date_event"},
		{"", `{"id":"other","createTime":null,"name":"A"}`, "create_time,id,name"},
		{"?updateMask=dateEvent", `{"name":"B"}`, "date_event"},
		{"?update_mask=name,date_event", `{"name":"B"}`, "name,date_event"},
		{"?updateMask=", `{"name":"B"}`, "name"},
	} {
		got := w.do(request{method: "PATCH", path: "/v1/events/id-1" + c.query, body: c.body})
		if got.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %d %s", c.query, c.body, got.StatusCode, got.body)
		}
		_, seen := w.events.Seen()
		update, _ := seen.(*eventv1.UpdateEventRequest)
		var paths string
		for i, path := range update.GetUpdateMask().GetPaths() {
			if i > 0 {
				paths += ","
			}
			paths += path
		}
		if paths != c.want || update.GetEvent().GetId() != "id-1" {
			t.Errorf("%s %s: mask is %s, want %s; request is %v", c.query, c.body, paths, c.want, update)
		}
	}
	var left struct{ Name, DateEvent string }
	w.do(request{method: "GET", path: "/v1/events/id-1"}).decode(t, &left)
	if left.Name != "B" || left.DateEvent != "" {
		t.Errorf("left is %+v", left)
	}
}
