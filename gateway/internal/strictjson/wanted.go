package strictjson

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Wanted says what the value of a field must be.
func Wanted(field protoreflect.FieldDescriptor) string {
	switch {
	case field.IsMap():
		return "must be an object"
	case field.IsList():
		return "must be a list"
	}
	switch field.Kind() {
	case protoreflect.StringKind:
		return "must be a string"
	case protoreflect.BytesKind:
		return "must be a string in base64"
	case protoreflect.BoolKind:
		return "must be true or false"
	case protoreflect.EnumKind:
		return "must be one of " + strings.Join(names(field.Enum()), ", ")
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return "must be a number"
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return wantedMessage(field.Message())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return "must be a whole number from -2147483648 to 2147483647"
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return "must be a whole number, not below zero"
	default:
		return "must be a whole number"
	}
}

func wantedMessage(message protoreflect.MessageDescriptor) string {
	switch message.FullName() {
	case "google.protobuf.Timestamp":
		return "must be a time like 2026-01-31T23:59:59Z (RFC 3339)"
	case "google.protobuf.Duration":
		return "must be a duration like 1.5s"
	case "google.protobuf.FieldMask":
		return "must be names of fields, separated by commas"
	default:
		return "must be an object"
	}
}

func names(enum protoreflect.EnumDescriptor) []string {
	all := make([]string, enum.Values().Len())
	for i := range all {
		all[i] = string(enum.Values().Get(i).Name())
	}
	return all
}
