package edge

import (
	"encoding/json"
	"testing"

	"eventprospect/gateway/internal/route"
	"eventprospect/gen/openapi"
)

// TestDocumentSaysWhatTheEdgeDoes holds the OpenAPI document to the routes: every route is in it, with the status of its success.
func TestDocumentSaysWhatTheEdgeDoes(t *testing.T) {
	t.Parallel()
	routes, err := route.NewTable(Contracts()...)
	if err != nil {
		t.Fatal(err)
	}
	text, err := document(openapi.Document, routes)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Responses  map[string]any
			Parameters []struct{ Name, In string }
		}
		Definitions map[string]any
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/v1/events post": "201", "/events post": "201", "/events get": "200", "/v1/events/{id} get": "200",
		"/events/{id} patch": "200", "/events/{id} delete": "204", "/v1/prospects/{id} delete": "204",
		"/prospects post": "201", "/prospects/filedWork/{filedWork} get": "200", "/v1/instances get": "200",
	}
	operations := 0
	for path, methods := range doc.Paths {
		for method, operation := range methods {
			operations++
			status, ok := want[path+" "+method]
			if ok && operation.Responses[status] == nil {
				t.Errorf("%s %s answers %v, want %s", method, path, operation.Responses, status)
			}
			if operation.Responses["default"] == nil || len(operation.Responses) != 2 {
				t.Errorf("%s %s answers %v, want one success and a problem", method, path, operation.Responses)
			}
			delete(want, path+" "+method)
		}
	}
	if len(want) > 0 || operations != len(routes.All()) || doc.Definitions["Problem"] == nil {
		t.Errorf("%d operations for %d routes; missing: %v", operations, len(routes.All()), want)
	}
}
