package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"

	"eventprospect/gateway/internal/problem"
	"eventprospect/gateway/internal/route"
)

// object is a JSON object.
type object = map[string]any

// document completes the generated OpenAPI document with what the contracts don't say and this edge does: 201 and 204,
// problems, and one name for the variable of a path that several RPCs share.
func document(generated []byte, routes *route.Table) ([]byte, error) {
	var doc struct {
		object
		Paths       map[string]map[string]object `json:"paths"`
		Definitions object                       `json:"definitions"`
	}
	if err := json.Unmarshal(generated, &doc.object); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	if err := json.Unmarshal(generated, &doc); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	paths := map[string]map[string]object{}
	for path, operations := range doc.Paths {
		shared := sharedPath(path)
		if paths[shared] == nil {
			paths[shared] = map[string]object{}
		}
		for method, operation := range operations {
			if err := describe(operation, routes, strings.ToUpper(method), path); err != nil {
				return nil, err
			}
			paths[shared][method] = operation
		}
	}
	doc.Definitions["Problem"] = problemSchema()
	doc.object["paths"], doc.object["definitions"] = paths, doc.Definitions
	doc.object["produces"] = []string{"application/json", problem.MediaType}
	return json.Marshal(doc.object)
}

// sharedPath gives "/events/{id}" for "/events/{event.id}": in OpenAPI both are one path.
func sharedPath(path string) string {
	open, dot := strings.Index(path, "{"), strings.Index(path, ".")
	if open < 0 || dot < open {
		return path
	}
	return path[:open+1] + path[dot+1:]
}

// describe corrects one operation.
func describe(operation object, routes *route.Table, method, path string) error {
	r := routes.Documented(method, path)
	if r == nil {
		return fmt.Errorf("OpenAPI document: %s %s is no route", method, path)
	}
	responses, _ := operation["responses"].(object)
	success, _ := responses["200"].(object)
	delete(responses, "200")
	if status := successOf(r); status == http.StatusNoContent {
		responses[strconv.Itoa(status)] = object{"description": "Done; there is nothing to say."}
	} else {
		responses[strconv.Itoa(status)] = success
	}
	responses["default"] = object{"description": "A problem (RFC 9457).", "schema": object{"$ref": "#/definitions/Problem"}}
	parameters, _ := operation["parameters"].([]any)
	for _, parameter := range parameters {
		p, _ := parameter.(object)
		if name, _ := p["name"].(string); p["in"] == "path" {
			p["name"] = name[strings.LastIndex(name, ".")+1:]
		}
	}
	return nil
}

// successOf gives the status of an answer that is a success.
func successOf(r *route.Route) int {
	switch {
	case r.RPC.Output().FullName() == (&emptypb.Empty{}).ProtoReflect().Descriptor().FullName():
		return http.StatusNoContent
	case r.Creates:
		return http.StatusCreated
	}
	return http.StatusOK
}

func problemSchema() object {
	text := object{"type": "string"}
	return object{
		"type": "object", "required": []string{"type", "title", "status", "reason"},
		"properties": object{
			"type": text, "title": text, "status": object{"type": "integer"}, "detail": text,
			"reason": text, "traceId": text, "roles": object{"type": "array", "items": text},
			"errors": object{"type": "array", "items": object{
				"type": "object", "properties": object{"field": text, "detail": text},
			}},
		},
	}
}
