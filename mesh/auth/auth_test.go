package auth_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/channelz/grpc_channelz_v1" // its contract has no access rules
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	_ "eventprospect/gen/event/v1" // its contract has
	meshv1 "eventprospect/gen/mesh/v1"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBearer(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"Bearer abc.def-_~+/=": "abc.def-_~+/=", "bearer abc": "abc", "BEARER abc": "abc",
		"": "", "Bearer": "", "Bearer ": "", "abc": "", "Basic abc": "", "Bearer  abc": "", " Bearer abc": "",
		"Bearer abc def": "", "Bearer abc, Bearer def": "", "Bearer abc,def": "", "Bearer\tabc": "", "Bearerabc": "",
	} {
		got, err := auth.Bearer(header)
		if got != want {
			t.Errorf("Bearer(%q) = %q, want %q", header, got, want)
		}
		if refused := fault.Is(err, fault.Unauthenticated); refused != (want == "") {
			t.Errorf("Bearer(%q): error %v", header, err)
		}
	}
}

func TestIdentityTravelsInTheContext(t *testing.T) {
	t.Parallel()
	if _, known := auth.FromContext(t.Context()); known {
		t.Error("somebody is known in an empty context")
	}
	want := auth.Identity{Subject: "somebody", Roles: []string{"reader"}}
	got, known := auth.FromContext(auth.NewContext(t.Context(), want))
	if !known {
		t.Error("nobody is known")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	rules := auth.Rules{
		"/s/Read": {Roles: []string{"service", "reader"}},
		"/s/Open": {Anonymous: true},
	}
	reader, editor := auth.Identity{Roles: []string{"reader"}}, auth.Identity{Roles: []string{"editor"}}
	cases := map[string]struct {
		method   string
		identity auth.Identity
		known    bool
		want     error
	}{
		"one of the roles":        {"/s/Read", reader, true, nil},
		"none of the roles":       {"/s/Read", editor, true, denied("this needs the role service or reader", "service", "reader")},
		"no roles at all":         {"/s/Read", auth.Identity{}, true, denied("this needs the role service or reader", "service", "reader")},
		"nobody":                  {"/s/Read", auth.Identity{}, false, fault.New(fault.Unauthenticated, "a bearer token is required")},
		"roles of nobody":         {"/s/Read", reader, false, fault.New(fault.Unauthenticated, "a bearer token is required")},
		"nobody, but open":        {"/s/Open", auth.Identity{}, false, nil},
		"a method without a rule": {"/s/Other", reader, true, fault.New(fault.Unimplemented, "there is no such method")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rules.Check(c.method, c.identity, c.known)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(fault.Error{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func denied(message string, roles ...string) error {
	return &fault.Error{Kind: fault.Denied, Message: message, Roles: roles}
}

func TestRulesOf(t *testing.T) {
	t.Parallel()
	if err := contradiction(); err != nil {
		t.Fatal(err)
	}
	offer := func(service, method string) map[string]grpc.ServiceInfo {
		return map[string]grpc.ServiceInfo{service: {Methods: []grpc.MethodInfo{{Name: method}}}}
	}
	cases := map[string]struct {
		service, method string
		want            *meshv1.Access
	}{
		"from the contract": {"event.v1.EventService", "CreateEvent", &meshv1.Access{Roles: []string{"editor"}}},
		"health is open":    {"grpc.health.v1.Health", "Check", &meshv1.Access{Anonymous: true}},
		"reflection":        {"grpc.reflection.v1.ServerReflection", "ServerReflectionInfo", &meshv1.Access{Anonymous: true}},
		"no rule":           {"grpc.channelz.v1.Channelz", "GetServers", nil},
		"both":              {"contradiction.Service", "Do", nil},
		"no contract":       {"unknown.Service", "Do", nil},
		"no such method":    {"event.v1.EventService", "Nothing", nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules, err := auth.RulesOf(offer(c.service, c.method))
			got := rules["/"+c.service+"/"+c.method]
			if (err == nil) != (c.want != nil) || got.GetAnonymous() != c.want.GetAnonymous() {
				t.Fatalf("rule %v, error %v; want %v", got, err, c.want)
			}
			if diff := cmp.Diff(c.want.GetRoles(), got.GetRoles()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWhatIsOpenedNeedsNoRule(t *testing.T) {
	t.Parallel()
	offer := map[string]grpc.ServiceInfo{
		"event.v1.EventService":     {Methods: []grpc.MethodInfo{{Name: "GetEvent"}, {Name: "CreateEvent"}}},
		"grpc.channelz.v1.Channelz": {Methods: []grpc.MethodInfo{{Name: "GetServers"}}},
	}
	rules, err := auth.RulesOf(offer, "/event.v1.EventService/GetEvent", "/grpc.channelz.v1.Channelz/GetServers")
	if err != nil {
		t.Fatal(err)
	}
	for method, open := range map[string]bool{
		"/event.v1.EventService/GetEvent": true, "/grpc.channelz.v1.Channelz/GetServers": true, "/event.v1.EventService/CreateEvent": false,
	} {
		if rules[method].GetAnonymous() != open {
			t.Errorf("%s: rule %v, want open %v", method, rules[method], open)
		}
	}
}

// contradiction makes the contract of a method that wants roles and is open to anybody.
var contradiction = sync.OnceValue(func() error {
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, meshv1.E_Access, &meshv1.Access{Roles: []string{"reader"}, Anonymous: true})
	method := &descriptorpb.MethodDescriptorProto{
		Name: proto.String("Do"), InputType: proto.String(".contradiction.Empty"), OutputType: proto.String(".contradiction.Empty"),
		Options: options,
	}
	return protoregistry.GlobalFiles.RegisterFile(must(protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("contradiction.proto"), Package: proto.String("contradiction"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Empty")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: proto.String("Service"), Method: []*descriptorpb.MethodDescriptorProto{method},
		}},
	}, protoregistry.GlobalFiles)))
})
