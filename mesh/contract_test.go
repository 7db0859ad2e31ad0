package mesh_test

import (
	"path/filepath"
	"slices"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	eventv1 "eventprospect/gen/event/v1"
	meshv1 "eventprospect/gen/mesh/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/auth"
)

// contracts are those of all services.
func contracts() []protoreflect.FileDescriptor {
	return []protoreflect.FileDescriptor{
		eventv1.File_event_v1_event_proto, eventv1.File_event_v1_restore_proto,
		prospectv1.File_prospect_v1_prospect_proto, prospectv1.File_prospect_v1_outbox_proto, registryv1.File_registry_v1_registry_proto,
	}
}

func TestNoContractIsForgotten(t *testing.T) {
	t.Parallel()
	generated, err := filepath.Glob("../gen/*/v*/*_grpc.pb.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(generated) != len(contracts()) {
		t.Errorf("these are generated, add what is missing to contracts(): %q", generated)
	}
}

// methods are all RPCs of all contracts.
func methods() []protoreflect.MethodDescriptor {
	var all []protoreflect.MethodDescriptor
	for _, file := range contracts() {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				all = append(all, service.Methods().Get(j))
			}
		}
	}
	return all
}

func TestEveryMethodHasAnAccessRule(t *testing.T) {
	t.Parallel()
	roles := []string{"reader", "editor", "admin", "service"}
	for _, method := range methods() {
		service, name := string(method.Parent().FullName()), string(method.Name())
		rules, err := auth.RulesOf(map[string]grpc.ServiceInfo{service: {Methods: []grpc.MethodInfo{{Name: name}}}})
		if err != nil {
			t.Error(err)
			continue
		}
		rule := rules["/"+service+"/"+name]
		if rule.GetAnonymous() {
			t.Errorf("%s is open to anybody", method.FullName())
		}
		for _, role := range rule.GetRoles() {
			if !slices.Contains(roles, role) {
				t.Errorf("%s wants the role %q, which the realm doesn't have", method.FullName(), role)
			}
		}
	}
}

// What only operators may call needs no place at the edge, which the world sees.
func TestEveryUnaryMethodHasARESTPath(t *testing.T) {
	t.Parallel()
	for _, method := range methods() {
		access, _ := proto.GetExtension(method.Options(), meshv1.E_Access).(*meshv1.Access)
		if method.IsStreamingClient() || method.IsStreamingServer() || slices.Equal(access.GetRoles(), []string{"admin"}) {
			continue
		}
		rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
		if rule.GetPattern() == nil {
			t.Errorf("%s has no google.api.http rule", method.FullName())
		}
	}
}

func TestEveryRequestFieldHasARule(t *testing.T) {
	t.Parallel()
	seen := map[protoreflect.FullName]bool{}
	for _, method := range methods() {
		checkMessage(t, method.Input(), seen)
	}
	if len(seen) < 10 {
		t.Errorf("only %d messages were looked at", len(seen))
	}
}

// checkMessage looks at a request, or at a message of ours within one.
func checkMessage(t *testing.T, message protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) {
	t.Helper()
	if seen[message.FullName()] || !ours(message) {
		return
	}
	seen[message.FullName()] = true
	for i := range message.Fields().Len() {
		field := message.Fields().Get(i)
		if !ruled(field) {
			t.Errorf("%s has no buf.validate rule", field.FullName())
		}
		if field.Message() != nil && !field.IsMap() {
			checkMessage(t, field.Message(), seen)
		}
	}
}

func ours(message protoreflect.MessageDescriptor) bool {
	return slices.ContainsFunc(contracts(), func(file protoreflect.FileDescriptor) bool {
		return file.Path() == message.ParentFile().Path()
	})
}

// ruled tells whether a field is bounded. A message is by its own fields, and what only the server sets is passed over.
func ruled(field protoreflect.FieldDescriptor) bool {
	rules, _ := proto.GetExtension(field.Options(), validate.E_Field).(*validate.FieldRules)
	hasRule := rules.GetType() != nil || len(rules.GetCel()) > 0
	switch {
	case field.IsList() || field.IsMap():
		return hasRule
	case field.Kind() == protoreflect.BoolKind || field.Message() != nil || outputOnly(field):
		return true
	case field.Enum() != nil:
		return rules.GetEnum().GetDefinedOnly()
	}
	return hasRule
}

func outputOnly(field protoreflect.FieldDescriptor) bool {
	behaviors, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, annotations.FieldBehavior_OUTPUT_ONLY)
}
