package audit

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	meshv1 "eventprospect/gen/mesh/v1"
)

// idField is the name of the field that names a resource.
const idField = "id"

// path leads to a field of a message, through the fields of the messages in it.
type path []protoreflect.FieldDescriptor

// method is an RPC that may change something.
type method struct {
	name string
	// asked are the fields of the request that name what is to be changed; made is the answer's, if the server names it.
	asked []path
	made  path
}

// methodsOf finds the methods that may change something, by their full names.
func methodsOf(services map[string]grpc.ServiceInfo) map[string]*method {
	found := map[string]*method{}
	for service, info := range services {
		for _, m := range info.Methods {
			descriptor, _ := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + m.Name))
			if rpc, ok := descriptor.(protoreflect.MethodDescriptor); ok && Changes(rpc) {
				name := FullName(rpc)
				found[name] = newMethod(name, rpc)
			}
		}
	}
	return found
}

// FullName is how gRPC calls a method: "/event.v1.EventService/CreateEvent".
func FullName(rpc protoreflect.MethodDescriptor) string {
	return "/" + string(rpc.Parent().FullName()) + "/" + string(rpc.Name())
}

// Changes tells whether an RPC may change something: its contract is ours and doesn't say NO_SIDE_EFFECTS. Of streams it is
// those to which the client goes on sending; the others are for reading.
func Changes(rpc protoreflect.MethodDescriptor) bool {
	options, _ := rpc.Options().(*descriptorpb.MethodOptions)
	if !proto.HasExtension(options, meshv1.E_Access) || options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
		return false
	}
	return rpc.IsStreamingClient() || !rpc.IsStreamingServer()
}

var variable = regexp.MustCompile(`{([^}=]*)`)

// newMethod finds what names the resource: the variables of the REST path, or else, where the server makes the id, that of
// the answer. What has no REST path sends the resource as a message.
func newMethod(name string, rpc protoreflect.MethodDescriptor) *method {
	m := &method{name: name}
	rule, _ := proto.GetExtension(rpc.Options(), annotations.E_Http).(*annotations.HttpRule)
	for _, found := range variable.FindAllStringSubmatch(template(rule), -1) {
		if p := follow(rpc.Input(), strings.Split(found[1], ".")); p != nil {
			m.asked = append(m.asked, p)
		}
	}
	if rule == nil {
		fields := rpc.Input().Fields()
		for i := range fields.Len() {
			if p := follow(rpc.Input(), []string{string(fields.Get(i).Name()), idField}); p != nil {
				m.asked = append(m.asked, p)
			}
		}
	}
	m.made = follow(rpc.Output(), []string{idField})
	return m
}

func template(rule *annotations.HttpRule) string {
	for _, path := range []string{rule.GetPost(), rule.GetPatch(), rule.GetPut(), rule.GetDelete(), rule.GetGet()} {
		if path != "" {
			return path
		}
	}
	return ""
}

// follow finds the field at the end of these names; nil if there is none, or it is no text.
func follow(message protoreflect.MessageDescriptor, names []string) path {
	var p path
	for i, name := range names {
		if message == nil {
			return nil
		}
		field := message.Fields().ByName(protoreflect.Name(name))
		last := i == len(names)-1
		if field == nil || field.IsList() || field.IsMap() || last && field.Kind() != protoreflect.StringKind {
			return nil
		}
		p, message = append(p, field), field.Message()
	}
	return p
}

// resource gives the id of what was changed, or was to be: its parts with slashes between, as in the REST path. An id that a
// caller gave in vain is told only if it looks like one of ours: anything may stand there, a person's name or a token.
func (m *method) resource(req, resp any, changed bool) string {
	var ids []string
	for _, p := range m.asked {
		id := p.of(req)
		if !changed && uuid.Validate(id) != nil {
			return ""
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 && changed && m.made != nil {
		return m.made.of(resp)
	}
	return strings.Join(ids, "/")
}

// of gives the text at the end of a path; empty if there is no message.
func (p path) of(message any) string {
	m, ok := message.(proto.Message)
	if !ok {
		return ""
	}
	reflected := m.ProtoReflect()
	for _, field := range p[:len(p)-1] {
		reflected = reflected.Get(field).Message()
	}
	return reflected.Get(p[len(p)-1]).String()
}
