// Package fieldmask reads update masks by the rules of AIP-134 and AIP-203, from the contract alone.
package fieldmask

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"eventprospect/mesh/fault"
)

// etag is a precondition of an update, not one of the values to change.
const etag = "etag"

// Writable gives the names of the resource's fields that an update with this mask changes. An empty mask means all
// that are set in the resource, "*" means all. Fields that only the server sets are passed over, so that a client may
// send back what it has read. A path that names no field of the resource is refused on the field update_mask.
// Both spellings of a path are understood: date_event and, from JSON, dateEvent.
func Writable(resource proto.Message, mask *fieldmaskpb.FieldMask) ([]string, error) {
	message := resource.ProtoReflect()
	paths := mask.GetPaths()
	if len(paths) == 0 {
		return populated(message), nil
	}
	fields := message.Descriptor().Fields()
	var names []string
	for _, path := range paths {
		if path == "*" {
			return writable(fields), nil
		}
		field := lookUp(fields, path)
		if field == nil {
			return nil, fault.InvalidField("update_mask", "%q is not a field that can be changed: there are %s",
				path, strings.Join(writable(fields), ", "))
		}
		if isWritable(field) && !slices.Contains(names, string(field.Name())) {
			names = append(names, string(field.Name()))
		}
	}
	return names, nil
}

func lookUp(fields protoreflect.FieldDescriptors, path string) protoreflect.FieldDescriptor {
	if field := fields.ByTextName(path); field != nil {
		return field
	}
	return fields.ByJSONName(path)
}

func populated(message protoreflect.Message) []string {
	var names []string
	message.Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if isWritable(field) {
			names = append(names, string(field.Name()))
		}
		return true
	})
	return names
}

func writable(fields protoreflect.FieldDescriptors) []string {
	var names []string
	for i := range fields.Len() {
		if field := fields.Get(i); isWritable(field) {
			names = append(names, string(field.Name()))
		}
	}
	return names
}

func isWritable(field protoreflect.FieldDescriptor) bool {
	behavior, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return field.Name() != etag && !slices.Contains(behavior, annotations.FieldBehavior_OUTPUT_ONLY)
}
