package audit

import (
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/types/known/emptypb"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
)

// all are the services of all contracts, and what any server offers besides.
func all() map[string]grpc.ServiceInfo {
	server := grpc.NewServer()
	defer server.Stop()
	eventv1.RegisterEventServiceServer(server, eventv1.UnimplementedEventServiceServer{})
	prospectv1.RegisterProspectServiceServer(server, prospectv1.UnimplementedProspectServiceServer{})
	registryv1.RegisterRegistryServiceServer(server, registryv1.UnimplementedRegistryServiceServer{})
	healthv1.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	return server.GetServiceInfo()
}

func TestWhatMayChangeSomething(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range methodsOf(all()) {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{
		eventv1.EventService_CreateEvent_FullMethodName,
		eventv1.EventService_DeleteEvent_FullMethodName,
		eventv1.EventService_UpdateEvent_FullMethodName,
		prospectv1.ProspectService_CreateProspect_FullMethodName,
		prospectv1.ProspectService_DeleteProspect_FullMethodName,
		prospectv1.ProspectService_UpdateProspect_FullMethodName,
		registryv1.RegistryService_Join_FullMethodName,
		registryv1.RegistryService_SetStatus_FullMethodName,
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestWhichResource(t *testing.T) {
	t.Parallel()
	const id = "0195f0c8-1111-7000-8000-000000000001"
	methods := methodsOf(all())
	cases := map[string]struct {
		method    string
		req, resp any
		changed   bool
		want      string
	}{
		"created": {
			eventv1.EventService_CreateEvent_FullMethodName,
			&eventv1.CreateEventRequest{Event: &eventv1.Event{Id: "Meier"}}, &eventv1.Event{Id: id}, true, id,
		},
		"not created": {
			eventv1.EventService_CreateEvent_FullMethodName,
			&eventv1.CreateEventRequest{Event: &eventv1.Event{Id: id}}, (*eventv1.Event)(nil), false, "",
		},
		"changed": {
			prospectv1.ProspectService_UpdateProspect_FullMethodName,
			&prospectv1.UpdateProspectRequest{Prospect: &prospectv1.Prospect{Id: id}}, &prospectv1.Prospect{Id: id}, true, id,
		},
		"not changed": {
			prospectv1.ProspectService_UpdateProspect_FullMethodName,
			&prospectv1.UpdateProspectRequest{Prospect: &prospectv1.Prospect{Id: id}}, nil, false, id,
		},
		"nothing to change": {prospectv1.ProspectService_UpdateProspect_FullMethodName, &prospectv1.UpdateProspectRequest{}, nil, false, ""},
		"deleted":           {eventv1.EventService_DeleteEvent_FullMethodName, &eventv1.DeleteEventRequest{Id: id}, &emptypb.Empty{}, true, id},
		"a name in place of an id": {
			eventv1.EventService_DeleteEvent_FullMethodName, &eventv1.DeleteEventRequest{Id: "Meier"}, nil, false, "",
		},
		"an instance": {
			registryv1.RegistryService_SetStatus_FullMethodName,
			&registryv1.SetStatusRequest{Service: "event", Id: "i-1"}, &registryv1.Instance{Id: "i-1"}, true, "event/i-1",
		},
		"an instance that joins": {
			registryv1.RegistryService_Join_FullMethodName,
			&registryv1.JoinRequest{Instance: &registryv1.Instance{Service: "event", Id: "i-1"}}, nil, true, "i-1",
		},
		"no message": {registryv1.RegistryService_Join_FullMethodName, nil, nil, false, ""},
	}
	for name, c := range cases {
		if got := methods[c.method].resource(c.req, c.resp, c.changed); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func BenchmarkResource(b *testing.B) {
	m := methodsOf(all())[prospectv1.ProspectService_UpdateProspect_FullMethodName]
	req := &prospectv1.UpdateProspectRequest{Prospect: &prospectv1.Prospect{Id: "0195f0c8-1111-7000-8000-000000000001"}}
	for b.Loop() {
		_ = m.resource(req, req.GetProspect(), true)
	}
}
