package edge_test

import (
	"net/http"
	"strings"
	"testing"

	"eventprospect/gateway/internal/edge"
	"eventprospect/mesh/telemetry"
)

func TestABadBodyIsExplained(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct{ body, want string }{
		"unknown key":      {`{"name":"a","nickname":"b"}`, "nickname: unknown key"},
		"several":          {`{"nickname":"b","name":5,"id":true}`, "nickname: unknown key; name: must be a string; id: must be a string"},
		"wrong type":       {`{"name":{"x":1}}`, "name: must be a string"},
		"snake case":       {`{"name":"a","date_event":["2026-01-01"]}`, "date_event: must be a string"},
		"time":             {`{"createTime":"yesterday"}`, "createTime: must be a time like 2026-01-31T23:59:59Z (RFC 3339)"},
		"enum":             {`{"kind":"PARTY"}`, "kind: must be one of KIND_UNSPECIFIED, PLANNED, PROSPECT_CREATED, PROSPECT_UPDATED, PROSPECT_DELETED"},
		"huge number":      {`{"kind":1e999}`, "kind: must be one of KIND_UNSPECIFIED, PLANNED, PROSPECT_CREATED, PROSPECT_UPDATED, PROSPECT_DELETED"},
		"duplicate":        {`{"name":"a","name":"b"}`, "name: is given more than once"},
		"escaped twice":    {`{"name":"a","n\u0061me":"b"}`, "name: is given more than once"},
		"both names":       {`{"dateEvent":"2026-01-01","date_event":"2026-01-01"}`, "date_event: is given more than once"},
		"not closed":       {`{"name":"a"`, "body: can't be read as JSON from line 1, column 11"},
		"second line":      {"{\n  \"name\": é}", "body: can't be read as JSON from line 2, column 11"},
		"garbage behind":   {`{"name":"a"} x`, "body: can't be read as JSON from line 1, column 14"},
		"second value":     {`{"name":"a"}{}`, "body: can't be read as JSON from line 1, column 13"},
		"list":             {`[{"name":"a"}]`, "body: must be a JSON object"},
		"null":             {`null`, "body: must be a JSON object"},
		"text":             {`"a"`, "body: must be a JSON object"},
		"blank":            {"  \n", "body: must not be empty: send a JSON object"},
		"empty":            {"", "body: must not be empty: send a JSON object"},
		"not UTF-8":        {"{\"name\":\"a\xff\"}", "body: must be UTF-8: line 1, column 11"},
		"byte order mark":  {"\ufeff{}", "body: can't be read as JSON from line 1, column 1"},
		"half a pair":      {`{"name":"\ud83c"}`, "name: must be a string of whole Unicode characters: it has half of a surrogate pair"},
		"deep":             {`{"name":` + strings.Repeat("[", 30000), "body: can't be read as JSON from line 1, column 10008"},
		"deep and closed":  {`{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, "a: unknown key"},
		"comment":          {`{/* */}`, "body: can't be read as JSON from line 1, column 2"},
		"rule of contract": {`{"name":"a","dateEvent":"1.2.26"}`, "dateEvent: must be a date as yyyy-MM-dd"},
		"rule of service":  {`{"name":""}`, "name: must not be empty"},
	} {
		got := w.do(request{method: "POST", path: "/v1/events", body: c.body})
		d := got.problem(t, http.StatusBadRequest, "INVALID")
		if d.fields() != c.want {
			t.Errorf("%s: got  %s\nwant %s", name, d.fields(), c.want)
		}
		if strings.Contains(d.Detail, "event.") {
			t.Errorf("%s: %s", name, d.Detail)
		}
	}
	if log := w.log.String(); strings.Contains(log, "failed") {
		t.Error(log)
	}
}

func TestOnlyJSONIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(header http.Header) reply {
		return w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`, header: header})
	}
	for _, media := range [][]string{
		nil, {"application/json"}, {"Application/JSON; charset=utf-8"}, {"application/merge-patch+json"},
	} {
		if got := post(http.Header{"Content-Type": media}); got.StatusCode != http.StatusCreated {
			t.Errorf("%v: %d %s", media, got.StatusCode, got.body)
		}
	}
	for _, media := range [][]string{
		{"application/x-www-form-urlencoded"},
		{"text/plain"},
		{"application/xml"},
		{"/"},
		{""},
		{"application/json", "text/plain"},
		{"multipart/form-data; boundary=x"},
		{"application/json-patch+json"},
	} {
		got := post(http.Header{"Content-Type": media})
		d := got.problem(t, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
		if !strings.Contains(d.Detail, "Content-Type: application/json") || got.Header.Get("Accept") == "" {
			t.Errorf("%v: %s %v", media, d.Detail, got.Header)
		}
	}
	got := post(http.Header{"Content-Encoding": {"gzip"}})
	got.problem(t, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
	patch := w.do(request{method: "PATCH", path: "/events/x", body: "name=x", header: http.Header{"Content-Type": {"text/plain"}}})
	patch.problem(t, http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE")
	if patch.Header.Get("Accept-Patch") == "" {
		t.Error("Accept-Patch is missing")
	}
}

func TestALongBodyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long := `{"name":"` + strings.Repeat("a", maxBody) + `"}`
	w.do(request{method: "POST", path: "/events", body: long}).problem(t, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE")
	w.do(request{method: "GET", path: "/events", body: long}).problem(t, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE")

	head := "POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.token + "\r\n"
	chunk := strings.Repeat("a", 0x4000)
	chunked := head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("4000\r\n"+chunk+"\r\n", 5)
	w.raw(chunked).problem(t, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE")

	w.raw(head+"Content-Length: 99999999999\r\n\r\n").problem(t, http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE")
}

func TestABodyWhereNoneBelongsIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, method := range []string{"GET", "HEAD", "DELETE"} {
		got := w.do(request{method: method, path: "/events/x", body: `{}`})
		if got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", method, got.StatusCode, got.body)
		}
	}
}

// FuzzBody holds that no body makes an answer that is our fault, and that each has the right shape.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a"}`, `{"name":"panic at the disco"}`, `{`, `{"kind":"PLANNED","createTime":"2026-01-01T00:00:00Z"}`, `{"id":"x","etag":"y"}`,
		`{"name":"\ud800"}`, `{"kind":1e400}`, `{"createTime":{"seconds":1}}`, "\xff", `{"a":[[[[`, `{"@type":"x"}`, `{"[a.b]":1}`, `{"name":null,"name":null}`,
	} {
		f.Add([]byte(seed))
	}
	shared := newWorld(f, func(cfg *edge.Config) {
		traces, err := telemetry.NewTraces("gateway", telemetry.Config{})
		if err != nil {
			f.Fatal(err)
		}
		cfg.Traces = traces // keeps no spans
	})
	shared.events.Failures = nil
	const id = "5c6ff2a4-0000-4000-8000-000000000001"
	f.Fuzz(func(t *testing.T, body []byte) {
		w := shared.in(t)
		for _, r := range []request{{method: "POST", path: "/events?eventId=" + id}, {method: "PATCH", path: "/events/" + id}} {
			r.body = string(body)
			if got := w.do(r); got.StatusCode >= 500 {
				t.Errorf("%s %q: %d %s", r.method, body, got.StatusCode, got.body)
			} else if got.StatusCode >= 300 && got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %q: %s", r.method, body, got.body)
			}
		}
	})
}
