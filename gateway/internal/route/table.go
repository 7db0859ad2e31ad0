// Package route knows the REST routes of the contracts: what google.api.http says of each RPC, asked the other way round.
package route

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Table is the list of all routes.
type Table struct {
	routes []*Route
	byKey  map[string]*Route
}

// NewTable reads the routes of the services that the contracts declare. It fails if one of them asks for what the edge
// doesn't do.
func NewTable(contracts ...protoreflect.FileDescriptor) (*Table, error) {
	t := &Table{byKey: map[string]*Route{}}
	for _, contract := range contracts {
		for service := range each(contract.Services()) {
			for rpc := range each(service.Methods()) {
				if err := t.add(rpc); err != nil {
					return nil, fmt.Errorf("%s: %w", rpc.FullName(), err)
				}
			}
		}
	}
	return t, nil
}

// each goes through one of protoreflect's lists.
func each[T any](list interface {
	Len() int
	Get(int) T
},
) func(func(T) bool) {
	return func(yield func(T) bool) {
		for i := range list.Len() {
			if !yield(list.Get(i)) {
				return
			}
		}
	}
}

func (t *Table) add(rpc protoreflect.MethodDescriptor) error {
	rule, _ := proto.GetExtension(rpc.Options(), annotations.E_Http).(*annotations.HttpRule)
	if rule == nil {
		return nil
	}
	for _, one := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		r, err := newRoute(rpc, one)
		if err != nil {
			return err
		}
		key := keyOf(r.Method, strings.ReplaceAll(r.Template, "}", "=*}"))
		if t.byKey[key] != nil {
			return fmt.Errorf("%s is taken by %s", key, t.byKey[key].RPC.FullName())
		}
		t.routes, t.byKey[key] = append(t.routes, r), r
	}
	return nil
}

// Find gives the route of a pattern, as runtime.Pattern prints it ("/v1/events/{id=*}"); nil if there is none.
func (t *Table) Find(method, pattern string) *Route { return t.byKey[keyOf(method, pattern)] }

func keyOf(method, pattern string) string { return method + " " + pattern }

// Match gives the first route of an escaped path, in the order of the contracts; nil if there is none.
func (t *Table) Match(method, path string) *Route {
	i := slices.IndexFunc(t.routes, func(r *Route) bool { return r.Method == method && r.matches(path) })
	if i < 0 {
		return nil
	}
	return t.routes[i]
}

// Documented gives the route that the OpenAPI document names by its method and path; nil if there is none. The document spells
// variables as JSON keys: "/events/dateEvent/{dateEvent}".
func (t *Table) Documented(method, path string) *Route {
	i := slices.IndexFunc(t.routes, func(r *Route) bool { return r.Method == method && jsonPath(r.Template) == path })
	if i < 0 {
		return nil
	}
	return t.routes[i]
}

// jsonPath spells snake_case as lowerCamelCase.
func jsonPath(template string) string {
	words := strings.Split(template, "_")
	for i := 1; i < len(words); i++ {
		words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
	}
	return strings.Join(words, "")
}

// All gives every route.
func (t *Table) All() []*Route { return slices.Clone(t.routes) }

// Allowed gives the methods that a path takes, for the header Allow.
func (t *Table) Allowed(path string) []string {
	var methods []string
	for _, r := range t.routes {
		if !r.matches(path) {
			continue
		}
		methods = append(methods, r.Method)
		if r.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}
