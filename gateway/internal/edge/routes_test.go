package edge_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"

	"eventprospect/gateway/internal/edge"
	"eventprospect/gateway/internal/route"
)

func TestEveryUnaryRPCHasARoute(t *testing.T) {
	t.Parallel()
	for _, contract := range edge.Contracts() {
		for i := range contract.Services().Len() {
			methods := contract.Services().Get(i).Methods()
			for j := range methods.Len() {
				rpc := methods.Get(j)
				stream := rpc.IsStreamingClient() || rpc.IsStreamingServer()
				if has := proto.HasExtension(rpc.Options(), annotations.E_Http); has == stream {
					t.Errorf("%s: google.api.http is there: %v, a stream: %v", rpc.FullName(), has, stream)
				}
			}
		}
	}
}

var variable = regexp.MustCompile(`{[^}]*}`)

func TestEveryRouteAsksForATokenAndLeadsToItsService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	routes, err := route.NewTable(edge.Contracts()...)
	if err != nil {
		t.Fatal(err)
	}
	if len(routes.All()) != 27 {
		t.Errorf("there are %d routes", len(routes.All()))
	}
	for _, r := range routes.All() {
		path, body := variable.ReplaceAllString(r.Template, "2026-01-01"), ""
		if r.Body != nil {
			body = "{}"
		}
		if strings.HasSuffix(path, ":batchGet") {
			path += "?ids=a"
		}
		refused := w.do(request{method: r.Method, path: path, body: body, header: http.Header{"Authorization": nil}})
		refused.problem(t, http.StatusUnauthorized, "UNAUTHENTICATED")

		reached := w.do(request{method: r.Method, path: path, body: body})
		reached.common(t)
		if strings.Contains(reached.body, "NO_SUCH_PATH") || reached.StatusCode == http.StatusInternalServerError {
			t.Errorf("%s %s answers %d %s", r.Method, path, reached.StatusCode, reached.body)
		}
	}
	if strings.Contains(w.log.String(), "request failed") {
		t.Error(w.log.String())
	}
}

func TestOpenAPIDocumentNeedsNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open := http.Header{"Authorization": nil}
	for _, path := range []string{"/openapi.json", "/openapi.json/"} {
		got := w.do(request{method: "GET", path: path, header: open})
		if got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "application/json" ||
			!strings.Contains(got.body, `"/prospects/filedWork/{filedWork}"`) {
			t.Errorf("%s: %d %.80s", path, got.StatusCode, got.body)
		}
	}
	if got := w.do(request{method: "HEAD", path: "/openapi.json", header: open}); got.StatusCode != http.StatusOK || got.body != "" {
		t.Errorf("HEAD: %d %q", got.StatusCode, got.body)
	}
	got := w.do(request{method: "POST", path: "/openapi.json", body: "{}", header: open})
	got.problem(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
	for _, path := range []string{"/", "/openapi.json/x", "/v1/openapi.json", "/openapi.json/../events", "//openapi.json", "/openapi.json//"} {
		w.do(request{method: "GET", path: path, header: open}).problem(t, http.StatusUnauthorized, "UNAUTHENTICATED")
	}
}

func TestPathsAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(request{method: "POST", path: "/events", body: `{"name":"Fair"}`})
	for _, path := range []string{"/events/id-1", "/events/id-1/", "/v1/events/id-1", "/v1/events/id-1/"} {
		if got := w.do(request{method: "GET", path: path}); got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.body)
		}
	}
	for _, path := range []string{
		"/", "/nothing", "/Events", "/events/id-1//", "//events/id-1", "/events//id-1", "/./events", "/events/.", "/events/..",
		"/v1/../events", "/events/%2e%2e", "/events/%2E", "/v1/%2e%2e/events", "/v1/events/id-1/x", "/v1%2Fevents",
		"/v1/events:unknown", "/ms-event/events", "/events/dateEvent/2026-01-01/x",
	} {
		got := w.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + w.token + "\r\n\r\n")
		got.problem(t, http.StatusNotFound, "NO_SUCH_PATH")
	}
	got := w.do(request{method: "GET", path: "/events/%ff"}).problem(t, http.StatusBadRequest, "INVALID")
	if len(got.Errors) != 1 || got.Errors[0].Field != "id" {
		t.Errorf("errors are %v", got.Errors)
	}
}

func TestAPathVariableHoldsAnyCharacters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for path, want := range map[string]string{
		"R%26D%20%2F%20IT": "R&D / IT", "R&D%20%2f%20IT": "R&D / IT", "G%C3%A9nie%20civil": "Génie civil", "Génie": "Génie",
		"a:b": "a:b", "a%3Ab": "a:b", "x:batchGet": "x:batchGet", "100%25": "100%", "%252F": "%2F", "a+b": "a+b", "%2F": "/",
		"%F0%9F%8E%89%F0%9F%91%8D": "🎉👍", "a%3Fb=c%23d": "a?b=c#d", "it/": "it", "a;b,c=d": "a;b,c=d", "...": "...",
	} {
		got := w.raw("GET /prospects/filedWork/" + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + w.token + "\r\n\r\n")
		var p struct{ FiledWork string }
		got.decode(t, &p)
		if p.FiledWork != want {
			t.Errorf("%s: got %q, want %q", path, p.FiledWork, want)
		}
	}
}

func TestOtherMethodsAreToldWhatIsAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/events/x", "DELETE, GET, HEAD, PATCH"},
		{"POST", "/v1/events/x/", "DELETE, GET, HEAD, PATCH"},
		{"DELETE", "/events", "GET, HEAD, POST"},
		{"PATCH", "/v1/prospects", "GET, HEAD, POST"},
		{"OPTIONS", "/v1/prospects", "GET, HEAD, POST"},
		{"POST", "/v1/events:batchGet", "GET, HEAD"},
		{"POST", "/v1/instances", "GET, HEAD"},
		{"BREW", "/prospects/filedWork/IT%2FOT", "GET, HEAD"},
	} {
		got := w.do(request{method: c.method, path: c.path})
		got.problem(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
		if allow := got.Header.Get("Allow"); allow != c.allow {
			t.Errorf("%s %s allows %q, want %q", c.method, c.path, allow, c.allow)
		}
	}
	override := http.Header{"X-Http-Method-Override": {"DELETE"}}
	got := w.do(request{method: "POST", path: "/events/x", body: "{}", header: override})
	got.problem(t, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED")
}
