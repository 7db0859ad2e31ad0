package route_test

import (
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"eventprospect/gateway/internal/route"
	eventv1 "eventprospect/gen/event/v1"
)

func TestFieldsAreNamedInTheClientsTerms(t *testing.T) {
	t.Parallel()
	table, err := route.NewTable(eventv1.File_event_v1_event_proto)
	if err != nil {
		t.Fatal(err)
	}
	update, list, batch := table.Find("PATCH", "/v1/events/{event.id=*}"), table.Find("GET", "/v1/events"), table.Find("GET", "/v1/events:batchGet")
	for _, c := range []struct {
		route      *route.Route
		path, want string
	}{
		{update, "event.date_event", "dateEvent"},
		{update, "event.create_time.seconds", "createTime.seconds"},
		{update, "event", "body"},
		{update, "event.id", "id"},
		{update, "update_mask", "updateMask"},
		{update, "event.no_such", "no_such"},
		{update, "no_such.at_all", "no_such.at_all"},
		{update, "", ""},
		{list, "page_size", "pageSize"},
		{list, "date_event.x", "dateEvent.x"},
		{batch, "ids[3]", "ids[3]"},
	} {
		if got := c.route.ClientField(c.path); got != c.want {
			t.Errorf("%s: got %q, want %q", c.path, got, c.want)
		}
	}
}

func TestWhatTheEdgeCannotDoFailsAtStart(t *testing.T) {
	t.Parallel()
	get := func(path string) *annotations.HttpRule {
		return &annotations.HttpRule{Pattern: &annotations.HttpRule_Get{Get: path}}
	}
	post := func(body, answer string) *annotations.HttpRule {
		return &annotations.HttpRule{Pattern: &annotations.HttpRule_Post{Post: "/a"}, Body: body, ResponseBody: answer}
	}
	for want, rule := range map[string]*annotations.HttpRule{
		`path segment "{id=**}" must be`:    get("/a/{id=**}"),
		`path segment "{id}:go" must be`:    get("/a/{id}:go"),
		`path segment "*" must be`:          get("/a/*"),
		`body "*" must name`:                post("*", ""),
		`body "id" must name`:               post("id", ""),
		`response_body "id" must name`:      post("", "id"),
		`custom HTTP method`:                {Pattern: &annotations.HttpRule_Custom{Custom: &annotations.CustomHttpPattern{Kind: "BREW", Path: "/a"}}},
		`GET /a is taken by test.Service.A`: {Pattern: &annotations.HttpRule_Get{Get: "/a"}, AdditionalBindings: []*annotations.HttpRule{get("/a")}},
	} {
		_, err := route.NewTable(contract(t, rule, false))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := route.NewTable(contract(t, get("/a"), true)); err == nil {
		t.Error("a stream has a route")
	}
	if _, err := route.NewTable(contract(t, get("/a/{id}"), false)); err != nil {
		t.Error(err)
	}
}

// contract makes the contract of a service with one RPC.
func contract(t *testing.T, rule *annotations.HttpRule, stream bool) protoreflect.FileDescriptor {
	t.Helper()
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, annotations.E_Http, rule)
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("test.proto"), Package: proto.String("test"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M"), Field: []*descriptorpb.FieldDescriptorProto{{
			Name: proto.String("id"), Number: proto.Int32(1), JsonName: proto.String("id"),
			Type: descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(), Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}}}},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Service"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("A"), InputType: proto.String(".test.M"), OutputType: proto.String(".test.M"),
			ServerStreaming: proto.Bool(stream), Options: options,
		}}}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
