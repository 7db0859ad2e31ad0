package edge_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestWhatIsCreatedHasAPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{
		"/events": "/events/", "/events/": "/events/", "/v1/events": "/v1/events/", "/v1/events/?requestId=5c6ff2a4-0000-4000-8000-000000000001": "/v1/events/",
	} {
		got := w.do(request{method: "POST", path: path, body: `{"name":"Fair"}`})
		var e struct{ ID, Etag, Name string }
		got.decode(t, &e)
		if got.StatusCode != http.StatusCreated || got.Header.Get("Location") != want+e.ID || got.Header.Get("ETag") != `"`+e.Etag+`"` {
			t.Errorf("%s: %d %v", path, got.StatusCode, got.Header)
		}
		if again := w.do(request{method: "GET", path: got.Header.Get("Location")}); again.StatusCode != http.StatusOK {
			t.Errorf("%s: at its location: %d", path, again.StatusCode)
		}
	}
	const id = "5c6ff2a4-0000-4000-8000-000000000001"
	w.do(request{method: "POST", path: "/v1/events?eventId=" + id, body: `{"name":"Fair"}`})
	got := w.do(request{method: "POST", path: "/v1/events?event_id=" + id, body: `{"name":"Fair"}`})
	got.problem(t, http.StatusConflict, "ALREADY_EXISTS")
	if got.Header.Get("Location") != "" {
		t.Errorf("headers are %v", got.Header)
	}
}

func TestEveryKeyIsAlwaysThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keys := func(path string) []string {
		var object map[string]json.RawMessage
		w.do(request{method: "GET", path: path}).decode(t, &object)
		return slices.Sorted(maps.Keys(object))
	}
	for path, want := range map[string]string{
		"/prospects/filedWork/IT": "createTime etag filedWork firstName id idEvent lastName updateTime",
		"/prospects":              "content empty first last number numberOfElements pageable size sort totalElements totalPages",
		"/v1/events":              "events nextPageToken",
		"/v1/instances":           "instances nextPageToken",
	} {
		if got := strings.Join(keys(path), " "); got != want {
			t.Errorf("%s has %s, want %s", path, got, want)
		}
	}
	if got := w.do(request{method: "GET", path: "/v1/events"}).body; strings.Contains(got, "null") {
		t.Errorf("an empty list is %s", got)
	}
}

func TestHowManyThereAreIsInTheHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2 {
		w.do(request{method: "POST", path: "/events", body: `{"name":"Fair","dateEvent":"2026-01-01"}`})
	}
	got := w.do(request{method: "GET", path: "/events/dateEvent/2026-01-01"})
	var e struct{ ID, DateEvent string }
	got.decode(t, &e)
	if e.ID != "id-1" || got.Header.Get("X-Total-Count") != "2" || got.Header.Get("ETag") != `"v1"` {
		t.Errorf("%s %v", got.body, got.Header)
	}
	w.do(request{method: "GET", path: "/events/dateEvent/2026-01-02"}).problem(t, http.StatusNotFound, "NOT_FOUND")
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`})
	for _, path := range []string{"/events/id-1", "/v1/events/", "/prospects/filedWork/IT", "/events/none", "/none"} {
		get, head := w.do(request{method: "GET", path: path}), w.do(request{method: "HEAD", path: path})
		if head.StatusCode != get.StatusCode || head.body != "" || head.Header.Get("ETag") != get.Header.Get("ETag") ||
			head.Header.Get("Content-Type") != get.Header.Get("Content-Type") ||
			head.StatusCode == http.StatusOK && head.ContentLength != int64(len(get.body)) {
			t.Errorf("%s: %d %v %q", path, head.StatusCode, head.Header, head.body)
		}
	}
}

func TestAnEtagIsACondition(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	etag := w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`}).Header.Get("ETag")
	const patch = `{"name":"Ball"}`
	for _, c := range []struct {
		method, body string
		match        []string
		status       int
		reason       string
	}{
		{"PATCH", patch, []string{`"v0"`}, http.StatusPreconditionFailed, "ETAG_MISMATCH"},
		{"DELETE", "", []string{`"v0"`}, http.StatusPreconditionFailed, "ETAG_MISMATCH"},
		{"PATCH", patch, []string{`v1`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{`"`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{`""`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{``}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{`W/"v1"`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{`"v1", "v2"`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{`"v1"`, `"v2"`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", patch, []string{`*`, `"v2"`}, http.StatusBadRequest, "INVALID"},
		{"PATCH", `{"name":"Ball","etag":"v1"}`, []string{`"v2"`}, http.StatusBadRequest, "INVALID"},
		{"GET", "", []string{`"v1"`}, http.StatusBadRequest, "INVALID"},
	} {
		got := w.do(request{method: c.method, path: "/events/id-1", body: c.body, header: http.Header{"If-Match": c.match}})
		if d := got.problem(t, c.status, c.reason); c.reason == "INVALID" && (len(d.Errors) != 1 || d.Errors[0].Field != "If-Match") {
			t.Errorf("%v: %s", c.match, got.body)
		}
	}
	w.do(request{method: "POST", path: "/events", body: `{"name":"a"}`, header: http.Header{"If-Match": {`*`}}}).
		problem(t, http.StatusBadRequest, "INVALID")

	good := http.Header{"If-Match": {etag}}
	changed := w.do(request{method: "PATCH", path: "/events/id-1", body: patch, header: good})
	if changed.StatusCode != http.StatusOK || changed.Header.Get("ETag") == etag {
		t.Fatalf("%d %s", changed.StatusCode, changed.body)
	}
	w.do(request{method: "PATCH", path: "/events/id-1", body: patch, header: good}).problem(t, http.StatusPreconditionFailed, "ETAG_MISMATCH")
	w.do(request{method: "DELETE", path: "/events/id-1?etag=v1"}).problem(t, http.StatusPreconditionFailed, "ETAG_MISMATCH")
	any := w.do(request{method: "PATCH", path: "/events/id-1", body: patch, header: http.Header{"If-Match": {"*"}}})
	gone := w.do(request{method: "DELETE", path: "/events/id-1/", header: http.Header{"If-Match": {any.Header.Get("ETag")}}})
	gone.common(t)
	if gone.StatusCode != http.StatusNoContent || gone.body != "" || gone.Header.Get("Content-Type") != "" {
		t.Errorf("%d %q %v", gone.StatusCode, gone.body, gone.Header)
	}
}
