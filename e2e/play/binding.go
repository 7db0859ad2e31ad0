package play

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// The contracts.
	_ "eventprospect/gen/event/v1"
	_ "eventprospect/gen/prospect/v1"
	_ "eventprospect/gen/registry/v1"
)

// binding is one REST path of an RPC, as its contract has it.
type binding struct {
	method, path string
	body, answer string // the fields that are the HTTP bodies; empty: no body, and the whole answer
}

// String is how the coverage calls it.
func (b binding) String() string { return b.method + " " + b.path }

// findRPC finds an RPC by its name: prospect.v1.ProspectService/GetProspect.
func findRPC(name string) (protoreflect.MethodDescriptor, error) {
	full := protoreflect.FullName(strings.ReplaceAll(name, "/", "."))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(full)
	if err != nil {
		return nil, fmt.Errorf("call: there is no RPC %q", name)
	}
	rpc, ok := found.(protoreflect.MethodDescriptor)
	if !ok {
		return nil, fmt.Errorf("call: %q is no RPC", name)
	}
	return rpc, nil
}

// bindingsOf gives the REST paths of an RPC, the preferred one first.
func bindingsOf(rpc protoreflect.MethodDescriptor) []binding {
	rule, _ := proto.GetExtension(rpc.Options(), annotations.E_Http).(*annotations.HttpRule)
	if rule == nil {
		return nil
	}
	var all []binding
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		b := binding{body: r.GetBody(), answer: r.GetResponseBody()}
		switch p := r.GetPattern().(type) {
		case *annotations.HttpRule_Get:
			b.method, b.path = http.MethodGet, p.Get
		case *annotations.HttpRule_Post:
			b.method, b.path = http.MethodPost, p.Post
		case *annotations.HttpRule_Put:
			b.method, b.path = http.MethodPut, p.Put
		case *annotations.HttpRule_Patch:
			b.method, b.path = http.MethodPatch, p.Patch
		case *annotations.HttpRule_Delete:
			b.method, b.path = http.MethodDelete, p.Delete
		}
		all = append(all, b)
	}
	return all
}

var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// request spreads an RPC's request over a path with its query, and a body: the rules of google.api.http.
func (b binding) request(message map[string]any) (target, body string, err error) {
	rest := clone(message)
	path := pathVariable.ReplaceAllStringFunc(b.path, func(variable string) string {
		value, taken := take(rest, strings.Split(strings.Trim(variable, "{}"), "."))
		if text, ok := value.(string); ok && text != "" && taken {
			return url.PathEscape(text)
		}
		err = fmt.Errorf("%s needs %s in the request", b, variable)
		return ""
	})
	if b.body != "" {
		value, _ := take(rest, []string{b.body})
		if value == nil {
			value = map[string]any{}
		}
		text, failed := json.Marshal(value)
		if failed != nil {
			return "", "", failed
		}
		body = string(text)
	}
	query := url.Values{}
	for key, value := range rest {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, item := range list {
			query.Add(key, fmt.Sprint(item))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, body, err
}

// clone copies an object as deep as take may change it.
func clone(object map[string]any) map[string]any {
	copied := map[string]any{}
	for key, value := range object {
		if inner, ok := value.(map[string]any); ok {
			value = clone(inner)
		}
		copied[key] = value
	}
	return copied
}

// take removes a field by its path in the contract, and returns it.
func take(object map[string]any, path []string) (value any, ok bool) {
	key := jsonName(path[0])
	if len(path) == 1 {
		value, ok = object[key]
		delete(object, key)
		return value, ok
	}
	inner, ok := object[key].(map[string]any)
	if !ok {
		return nil, false
	}
	return take(inner, path[1:])
}

var underscored = regexp.MustCompile(`_[a-z]`)

// jsonName spells a name of the contract as JSON does.
func jsonName(name string) string {
	return underscored.ReplaceAllStringFunc(name, func(s string) string { return strings.ToUpper(s[1:]) })
}
