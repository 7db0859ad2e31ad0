package route

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// etagField is the name of the field that carries a resource's version (AIP-154).
const etagField = "etag"

// Route is one way to call an RPC over HTTP.
type Route struct {
	// Method is the HTTP method.
	Method string
	// Template is the path with its variables, as the contract has it: "/v1/events/{event.id}".
	Template string
	// RPC is what it calls.
	RPC protoreflect.MethodDescriptor
	// Body is the request's field that the HTTP body holds; nil if there must be no body.
	Body protoreflect.FieldDescriptor
	// Creates tells whether it makes a new resource (AIP-133).
	Creates bool
	// Conditional tells whether the request has a place for the etag of If-Match.
	Conditional bool

	answer protoreflect.FieldDescriptor // the answer's field that the HTTP body holds; nil: all of it
	bound  []string                     // the paths of the fields that the path holds
}

func newRoute(rpc protoreflect.MethodDescriptor, rule *annotations.HttpRule) (*Route, error) {
	r := &Route{RPC: rpc}
	if rpc.IsStreamingClient() || rpc.IsStreamingServer() {
		return nil, errors.New("a stream has no REST path")
	}
	if err := r.readPath(rule); err != nil {
		return nil, err
	}
	if name := rule.GetBody(); name != "" {
		r.Body = rpc.Input().Fields().ByName(protoreflect.Name(name))
		if r.Body == nil || r.Body.Message() == nil || r.Body.IsList() || r.Body.IsMap() {
			return nil, fmt.Errorf("body %q must name a message field", name)
		}
	}
	if name := rule.GetResponseBody(); name != "" {
		r.answer = rpc.Output().Fields().ByName(protoreflect.Name(name))
		if r.answer == nil || r.answer.Message() == nil || r.answer.IsList() || r.answer.IsMap() {
			return nil, fmt.Errorf("response_body %q must name a message field", name)
		}
	}
	r.Creates = r.Method == http.MethodPost && strings.HasPrefix(string(rpc.Name()), "Create")
	r.Conditional = slices.Contains([]string{http.MethodPatch, http.MethodPut, http.MethodDelete}, r.Method) &&
		(stringField(rpc.Input(), etagField) != nil || r.Body != nil && stringField(r.Body.Message(), etagField) != nil)
	return r, nil
}

func (r *Route) readPath(rule *annotations.HttpRule) error {
	switch p := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.Method, r.Template = http.MethodGet, p.Get
	case *annotations.HttpRule_Put:
		r.Method, r.Template = http.MethodPut, p.Put
	case *annotations.HttpRule_Post:
		r.Method, r.Template = http.MethodPost, p.Post
	case *annotations.HttpRule_Delete:
		r.Method, r.Template = http.MethodDelete, p.Delete
	case *annotations.HttpRule_Patch:
		r.Method, r.Template = http.MethodPatch, p.Patch
	default:
		return errors.New("a custom HTTP method is not supported")
	}
	for _, segment := range strings.Split(r.Template, "/") {
		if !strings.ContainsAny(segment, "{}=*") {
			continue
		}
		name, ok := variable(segment)
		if !ok {
			return fmt.Errorf("path segment %q must be a literal or one {variable}", segment)
		}
		r.bound = append(r.bound, name)
	}
	return nil
}

// variable tells whether a segment of a template is a variable, and its name.
func variable(segment string) (name string, ok bool) {
	name, opens := strings.CutPrefix(segment, "{")
	name, closes := strings.CutSuffix(name, "}")
	return name, opens && closes && !strings.ContainsAny(name, "{}=*")
}

// matches tells whether an escaped path is one of this route's.
func (r *Route) matches(path string) bool {
	have, want := strings.Split(path, "/"), strings.Split(r.Template, "/")
	return slices.EqualFunc(have, want, func(have, want string) bool {
		if _, ok := variable(want); ok {
			return have != ""
		}
		return have == want
	})
}

func stringField(message protoreflect.MessageDescriptor, name protoreflect.Name) protoreflect.FieldDescriptor {
	field := message.Fields().ByName(name)
	if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() {
		return nil
	}
	return field
}
