// Package query reads the query of a URL strictly: known parameters once each, of the right type. A mistyped filter must
// not become a list of everything.
package query

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"eventprospect/gateway/internal/route"
	"eventprospect/gateway/internal/strictjson"
	"eventprospect/mesh/fault"
)

// Parse reads the query of a request on a route. Names come out as the contract has them, and so do those in an update
// mask. Every parameter that is wrong is named in the error.
func Parse(raw string, r *route.Route) (url.Values, error) {
	given, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.InvalidField("query", "is malformed: it must be name=value pairs, joined by & and percent-encoded")
	}
	p := parser{route: r, values: url.Values{}}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p.parameter(name, given[name])
	}
	if len(p.wrong) > 0 {
		return nil, fault.InvalidFields(p.wrong...)
	}
	return p.values, nil
}

type parser struct {
	route  *route.Route
	values url.Values
	wrong  []fault.Violation
}

func (p *parser) refuse(name, detail string) {
	p.wrong = append(p.wrong, fault.Violation{Field: name, Detail: detail})
}

func (p *parser) parameter(name string, values []string) {
	field, why := p.route.Parameter(name)
	if field == nil {
		p.refuse(name, why)
		return
	}
	key := string(field.Name())
	if p.values.Has(key) || !field.IsList() && len(values) > 1 {
		p.refuse(name, "is given more than once")
		return
	}
	if slices.ContainsFunc(values, func(value string) bool { return !utf8.ValidString(value) }) {
		p.refuse(name, "must be UTF-8, percent-encoded")
		return
	}
	if p.route.Body != nil && isMask(field) {
		if values = p.mask(name, values[0]); values == nil {
			return
		}
	}
	// What counts as right is what the generated code will take.
	trial := dynamicpb.NewMessage(p.route.RPC.Input())
	none := utilities.NewDoubleArray(nil)
	if (&runtime.DefaultQueryParser{}).Parse(trial, url.Values{key: values}, none) != nil {
		p.refuse(name, strictjson.Wanted(field))
		return
	}
	p.values[key] = values
}

func isMask(field protoreflect.FieldDescriptor) bool {
	return field.Message() != nil && field.Message().FullName() == "google.protobuf.FieldMask"
}

// mask spells the paths of a mask as the contract does; nil if one of them is unknown, or if there are none: the mask is
// made from the body then.
func (p *parser) mask(name, value string) []string {
	if value == "" {
		return nil
	}
	paths := strings.Split(value, ",")
	for i, path := range paths {
		field := route.Field(p.route.Body.Message(), path)
		if field == nil {
			p.refuse(name, "names an unknown field: "+path)
			return nil
		}
		paths[i] = string(field.Name())
	}
	return []string{strings.Join(paths, ",")}
}
