//go:build linux

package scale

import (
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/proto"
)

func TestEndpointsAreCountedInAllLocalities(t *testing.T) {
	t.Parallel()
	one := &endpointv3.LbEndpoint{HealthStatus: 1}
	for want, assignment := range []*endpointv3.ClusterLoadAssignment{
		{ClusterName: "a"},
		{ClusterName: "a", Endpoints: []*endpointv3.LocalityLbEndpoints{{}, {LbEndpoints: []*endpointv3.LbEndpoint{one}, Priority: 2}}},
		{Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{}}}, {LbEndpoints: []*endpointv3.LbEndpoint{one}}}},
	} {
		encoded, err := proto.Marshal(assignment)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := endpoints(encoded); err != nil || got != want {
			t.Errorf("counted %d, want %d; error %v", got, want, err)
		}
	}
	if _, err := endpoints([]byte{0xff}); err == nil {
		t.Error("what is no message has endpoints")
	}
}
