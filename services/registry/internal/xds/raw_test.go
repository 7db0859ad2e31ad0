package xds_test

import (
	"context"
	"slices"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	statusv1 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/anypb"
)

const (
	listenerType = resourcev3.ListenerType
	routeType    = resourcev3.RouteType
	clusterType  = resourcev3.ClusterType
	endpointType = resourcev3.EndpointType
)

// sotw is a client of the state-of-the-world protocol, of which each step is the test's.
type sotw struct {
	t      testing.TB
	stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
	node   *corev3.Node
	stop   func()
}

func (p *plane) client() discoveryv3.AggregatedDiscoveryServiceClient {
	p.t.Helper()
	conn, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return discoveryv3.NewAggregatedDiscoveryServiceClient(conn)
}

func (p *plane) sotw(id, zone string) *sotw {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p.t.Cleanup(cancel)
	stream, err := p.client().StreamAggregatedResources(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	return &sotw{p.t, stream, &corev3.Node{Id: id, Locality: &corev3.Locality{Zone: zone}}, cancel}
}

// ask asks for resources; the node is told once.
func (s *sotw) ask(typeURL string, names ...string) {
	s.t.Helper()
	s.send(&discoveryv3.DiscoveryRequest{TypeUrl: typeURL, ResourceNames: names})
}

func (s *sotw) send(r *discoveryv3.DiscoveryRequest) {
	s.t.Helper()
	r.Node, s.node = s.node, nil
	if err := s.stream.Send(r); err != nil {
		s.t.Fatal(err)
	}
}

// answer receives an answer without accepting it.
func (s *sotw) answer() *discoveryv3.DiscoveryResponse {
	s.t.Helper()
	answer, err := s.stream.Recv()
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// ack accepts an answer, and so asks for the next.
func (s *sotw) ack(answer *discoveryv3.DiscoveryResponse, names ...string) {
	s.t.Helper()
	s.send(&discoveryv3.DiscoveryRequest{
		TypeUrl: answer.GetTypeUrl(), ResourceNames: names, VersionInfo: answer.GetVersionInfo(), ResponseNonce: answer.GetNonce(),
	})
}

// refuse refuses an answer.
func (s *sotw) refuse(answer *discoveryv3.DiscoveryResponse, reason string, names ...string) {
	s.t.Helper()
	s.send(&discoveryv3.DiscoveryRequest{
		TypeUrl: answer.GetTypeUrl(), ResourceNames: names, ResponseNonce: answer.GetNonce(), ErrorDetail: &statusv1.Status{Code: 3, Message: reason},
	})
}

func (s *sotw) wantNames(want ...string) {
	s.t.Helper()
	answer := s.answer()
	var got []string
	for _, resource := range answer.GetResources() {
		got = append(got, nameOf(s.t, resource))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.t.Fatalf("%s: got %v, want %v", answer.GetTypeUrl(), got, want)
	}
	s.ack(answer, want...)
}

func nameOf(t testing.TB, resource *anypb.Any) string {
	t.Helper()
	message, err := resource.UnmarshalNew()
	if err != nil {
		t.Fatal(err)
	}
	switch named := message.(type) {
	case interface{ GetName() string }:
		return named.GetName()
	case interface{ GetClusterName() string }:
		return named.GetClusterName()
	}
	t.Fatalf("%T has no name", message)
	return ""
}

// priorities gives how many endpoints an answer has at each priority.
func priorities(t testing.TB, resource *anypb.Any) map[uint32]int {
	t.Helper()
	var assignment endpointv3.ClusterLoadAssignment
	if err := resource.UnmarshalTo(&assignment); err != nil {
		t.Fatal(err)
	}
	found := map[uint32]int{}
	for _, l := range assignment.GetEndpoints() {
		found[l.GetPriority()] += len(l.GetLbEndpoints())
	}
	return found
}

// delta is a client of the incremental protocol.
type delta struct {
	t      testing.TB
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
}

func (p *plane) delta() *delta {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p.t.Cleanup(cancel)
	stream, err := p.client().DeltaAggregatedResources(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	return &delta{p.t, stream}
}

func (d *delta) send(r *discoveryv3.DeltaDiscoveryRequest) {
	d.t.Helper()
	if err := d.stream.Send(r); err != nil {
		d.t.Fatal(err)
	}
}

// answer receives an answer and accepts it.
func (d *delta) answer() *discoveryv3.DeltaDiscoveryResponse {
	d.t.Helper()
	answer, err := d.stream.Recv()
	if err != nil {
		d.t.Fatal(err)
	}
	d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: answer.GetTypeUrl(), ResponseNonce: answer.GetNonce()})
	return answer
}

// want receives an answer that holds just these resources and removals.
func (d *delta) want(typeURL string, names, removed []string) *discoveryv3.DeltaDiscoveryResponse {
	d.t.Helper()
	answer := d.answer()
	var got []string
	for _, resource := range answer.GetResources() {
		got = append(got, resource.GetName())
	}
	slices.Sort(got)
	if answer.GetTypeUrl() != typeURL || !slices.Equal(got, names) || !slices.Equal(answer.GetRemovedResources(), removed) {
		d.t.Fatalf("%s: got %v, removed %v; want %s: %v, removed %v",
			answer.GetTypeUrl(), got, answer.GetRemovedResources(), typeURL, names, removed)
	}
	return answer
}
