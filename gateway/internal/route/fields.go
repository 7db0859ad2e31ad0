package route

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// WholeBody is how a client is told of the body as a whole.
const WholeBody = "body"

// ClientField spells the path of a request's field as the JSON client does: without the field that is the HTTP body,
// and in lowerCamelCase. "event.date_event" is "dateEvent" where the event is the body.
func (r *Route) ClientField(path string) string {
	names, message := strings.Split(path, "."), r.RPC.Input()
	if r.Body != nil && names[0] == string(r.Body.Name()) {
		if names, message = names[1:], r.Body.Message(); len(names) == 0 {
			return WholeBody
		}
	}
	for i, name := range names {
		if message == nil {
			break
		}
		plain, index := name, ""
		if at := strings.IndexByte(name, '['); at >= 0 {
			plain, index = name[:at], name[at:]
		}
		field := message.Fields().ByName(protoreflect.Name(plain))
		if field == nil {
			break
		}
		names[i], message = field.JSONName()+index, field.Message()
	}
	return strings.Join(names, ".")
}

// Parameter gives the field that a query parameter sets, by either of its names. It gives nil, and why, if there is none,
// or if it is set by the path or the body.
func (r *Route) Parameter(name string) (field protoreflect.FieldDescriptor, why string) {
	field = Field(r.RPC.Input(), name)
	switch {
	case field == nil:
		return nil, "unknown query parameter"
	case r.Body == field:
		return nil, "belongs in the body, not in the query"
	case slices.Contains(r.bound, string(field.Name())):
		return nil, "is part of the path, and can't be given again in the query"
	}
	return field, ""
}

// Field finds a field by its name in JSON or in the contract; nil if there is none.
func Field(message protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if field := message.Fields().ByJSONName(name); field != nil {
		return field
	}
	return message.Fields().ByTextName(name)
}

// Etag gives the etag of a request, and how to set it. It is only for conditional routes.
func (r *Route) Etag(request proto.Message) (etag string, set func(string)) {
	holder := request.ProtoReflect()
	field := stringField(holder.Descriptor(), etagField)
	if field == nil {
		holder = holder.Mutable(r.Body).Message()
		field = stringField(holder.Descriptor(), etagField)
	}
	return holder.Get(field).String(), func(value string) { holder.Set(field, protoreflect.ValueOfString(value)) }
}

// Answer gives the part of an RPC's answer that is the HTTP body.
func (r *Route) Answer(answer proto.Message) protoreflect.Message {
	m := answer.ProtoReflect()
	if r.answer == nil {
		return m
	}
	return m.Get(r.answer).Message()
}

// Text gives a string field of a message by its name; empty if it has none.
func Text(message protoreflect.Message, name protoreflect.Name) string {
	field := stringField(message.Descriptor(), name)
	if field == nil {
		return ""
	}
	return message.Get(field).String()
}
