package rpc

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// methods are unary methods by their full names ("/event.v1.EventService/GetEvent").
type methods map[string]protoreflect.MethodDescriptor

// repeatable finds, in all contracts that this process knows, the unary methods that do no harm when they are called twice: the
// contract says so (`idempotency_level`), or the server knows a request that comes again by its `request_id` (AIP-155).
func repeatable(files *protoregistry.Files) methods {
	found := methods{}
	files.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			of := file.Services().Get(i).Methods()
			for j := range of.Len() {
				if m := of.Get(j); mayRepeat(m) {
					found[fmt.Sprintf("/%s/%s", m.Parent().FullName(), m.Name())] = m
				}
			}
		}
		return true
	})
	return found
}

func mayRepeat(m protoreflect.MethodDescriptor) bool {
	if m.IsStreamingClient() || m.IsStreamingServer() {
		return false
	}
	options, _ := m.Options().(*descriptorpb.MethodOptions)
	return options.GetIdempotencyLevel() != descriptorpb.MethodOptions_IDEMPOTENCY_UNKNOWN || requestIDField(m.Input()) != nil
}

// requestIDField finds the field by which a server knows a request that comes again; nil if there is none.
func requestIDField(m protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	field := m.Fields().ByName("request_id")
	if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() {
		return nil
	}
	return field
}
