package auth

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	meshv1 "eventprospect/gen/mesh/v1"
	"eventprospect/mesh/fault"
)

// open are the services that any gRPC server offers without a token: they tell of the server, not of its data.
var open = []string{"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}

// Rules say who may call which method, by its full name ("/event.v1.EventService/GetEvent").
type Rules map[string]*meshv1.Access

// RulesOf reads the rules of all services that a server offers from their contracts, but for the opened methods, which anybody
// may call. A method without a rule, or with one that contradicts itself, is an error: nothing is open by omission.
func RulesOf(services map[string]grpc.ServiceInfo, opened ...string) (Rules, error) {
	rules := Rules{}
	for name, info := range services {
		for _, method := range info.Methods {
			full := "/" + name + "/" + method.Name
			if slices.Contains(opened, full) {
				rules[full] = &meshv1.Access{Anonymous: true}
				continue
			}
			rule, err := ruleOf(name, method.Name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", full, err)
			}
			rules[full] = rule
		}
	}
	return rules, nil
}

func ruleOf(service, method string) (*meshv1.Access, error) {
	if slices.Contains(open, service) {
		return &meshv1.Access{Anonymous: true}, nil
	}
	descriptor, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service + "." + method))
	if err != nil {
		return nil, fmt.Errorf("no contract: %w", err)
	}
	rule, _ := proto.GetExtension(descriptor.Options(), meshv1.E_Access).(*meshv1.Access)
	if rule.GetAnonymous() == (len(rule.GetRoles()) > 0) {
		return nil, fmt.Errorf("the contract must say either roles or anonymous in option (mesh.v1.access)")
	}
	return rule, nil
}

// Check tells whether an identity may call a method; known is false if nobody was verified.
func (r Rules) Check(method string, identity Identity, known bool) error {
	rule := r[method]
	switch {
	case rule == nil:
		return fault.New(fault.Unimplemented, "there is no such method")
	case rule.GetAnonymous():
		return nil
	case !known:
		return fault.New(fault.Unauthenticated, "a bearer token is required")
	case identity.HasAny(rule.GetRoles()):
		return nil
	}
	f := fault.New(fault.Denied, "this needs the role %s", strings.Join(rule.GetRoles(), " or "))
	f.Roles = rule.GetRoles()
	return f
}
