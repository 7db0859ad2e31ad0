package edge_test

import (
	"net/http"
	"strings"
	"testing"

	"eventprospect/gateway/internal/edge"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/meshtest"
)

func TestWhoIsRefusedAChangeIsWrittenDown(t *testing.T) {
	t.Parallel()
	const id = "5c6ff2a4-0000-4000-8000-000000000001"
	for name, c := range map[string]struct {
		method, path string
		header       []string
		want         string // of the record; empty: there is none
	}{
		"no token":         {"POST", "/events", nil, "audit.method=/event.v1.EventService/CreateEvent audit.peer=127.0.0.1 audit.code=UNAUTHENTICATED"},
		"another scheme":   {"POST", "/events", []string{"Basic x"}, "audit.method=/event.v1.EventService/CreateEvent audit.peer=127.0.0.1 audit.code=UNAUTHENTICATED"},
		"a bad token":      {"DELETE", "/v1/prospects/" + id + "/", []string{"Bearer x"}, "audit.method=/prospect.v1.ProspectService/DeleteProspect audit.peer=127.0.0.1 audit.code=UNAUTHENTICATED"},
		"to an instance":   {"PUT", "/v1/instances/event/i-1/status", nil, "audit.method=/registry.v1.RegistryService/SetStatus audit.peer=127.0.0.1 audit.code=UNAUTHENTICATED"},
		"reading":          {"GET", "/events", nil, ""},
		"no such path":     {"POST", "/nothing", nil, ""},
		"a path that lies": {"POST", "/v1/../events", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			header := http.Header{"Authorization": c.header, "X-Forwarded-For": {"10.0.0.1"}}
			w.do(request{method: c.method, path: c.path, header: header}).problem(t, http.StatusUnauthorized, "UNAUTHENTICATED")
			if n := strings.Count(w.log.String(), "msg=audit"); n != min(len(c.want), 1) || !strings.Contains(w.log.String(), c.want) {
				t.Errorf("%d records:\n%s", n, w.log)
			}
		})
	}
}

// The service writes down what reaches it, with the client's address.
func TestWhatIsLetThroughIsNotWrittenDownTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`})
	if strings.Contains(w.log.String(), "msg=audit") {
		t.Errorf("the gateway writes:\n%s", w.log)
	}
}

func TestAChangeThatNobodyCouldJudgeIsWrittenDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(cfg *edge.Config) {
		verifier, err := auth.NewVerifier(t.Context(), auth.Config{Issuer: "http://127.0.0.1:1", Audience: meshtest.Audience}, cfg.Log)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Verifier = verifier
	})
	w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`}).problem(t, http.StatusServiceUnavailable, "UNAVAILABLE")
	if !strings.Contains(w.log.String(), "audit.code=UNAVAILABLE") {
		t.Errorf("no record:\n%s", w.log)
	}
}
