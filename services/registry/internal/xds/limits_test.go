package xds_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestTheNumberOfStreamsIsBounded(t *testing.T) {
	t.Parallel()
	limited := defaults()
	limited.MaxStreams = 1
	p := start(t, limited)
	p.join(instance("event", "a", "10.0.0.1:80"))
	s := p.sotw("first", "")
	s.ask(endpointType, "event")
	s.wantNames("event")
	if _, err := p.delta().stream.Recv(); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("error %v, want RESOURCE_EXHAUSTED", err)
	}
	s.stop()
	until(t, "there is room again", func() bool {
		next := p.sotw("next", "")
		defer next.stop()
		_ = next.stream.Send(&discoveryv3.DiscoveryRequest{TypeUrl: endpointType, ResourceNames: []string{"event"}})
		_, err := next.stream.Recv()
		return err == nil
	})
}

func TestTheNumberOfNamesIsBounded(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	names := make([]string, 50_001)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	s := p.sotw("raw", "")
	s.ask(endpointType, names...)
	if _, err := s.stream.Recv(); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("error %v, want RESOURCE_EXHAUSTED", err)
	}
	d := p.delta()
	for part := range slices.Chunk(names, 10_000) {
		d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: endpointType, ResourceNamesSubscribe: part})
	}
	if _, err := d.stream.Recv(); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("error %v, want RESOURCE_EXHAUSTED", err)
	}
}

func TestTheNumberOfZonesIsBounded(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.Policy.ZonePriority = true
	p := start(t, s)
	for i, zone := range []string{"z1", "z2"} {
		told := instance("event", zone, fmt.Sprintf("10.0.0.%d:80", i+1))
		told.Zone = zone
		p.join(told)
	}
	// seen opens a stream from a zone and gives what is seen from there.
	seen := func(zone string) (*sotw, map[uint32]int) {
		raw := p.sotw("raw", zone)
		raw.ask(endpointType, "event")
		return raw, priorities(t, raw.answer().GetResources()[0])
	}
	var junk []*sotw
	for i := range 64 {
		raw, found := seen(fmt.Sprint("junk", i))
		if found[0] != 2 {
			t.Fatalf("from elsewhere: %v endpoints by priority, want both first", found)
		}
		junk = append(junk, raw)
	}
	for _, zone := range []string{"z1", strings.Repeat("z", 1000)} {
		if _, found := seen(zone); found[0] != 2 {
			t.Errorf("from one zone too many: %v endpoints by priority, want both first", found)
		}
	}
	for _, raw := range junk {
		raw.stop()
	}
	until(t, "zones are told apart again", func() bool {
		raw, found := seen("z1")
		defer raw.stop()
		return found[0] == 1 && found[1] == 1
	})
}

// Clients refuse weights whose sum takes more than 32 bits.
func TestWeightsNeverOverflow(t *testing.T) {
	t.Parallel()
	p := start(t, defaults())
	for i := range 3 {
		heavy := instance("event", fmt.Sprint(i), fmt.Sprintf("10.0.0.%d:80", i+1))
		heavy.Weight = 1 << 31
		p.join(heavy)
	}
	d := p.delta()
	d.send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: endpointType, ResourceNamesSubscribe: []string{"event"}})
	until(t, "all are there", func() bool {
		var assignment endpointv3.ClusterLoadAssignment
		if err := d.answer().GetResources()[0].GetResource().UnmarshalTo(&assignment); err != nil {
			t.Fatal(err)
		}
		l := assignment.GetEndpoints()[0]
		return len(l.GetLbEndpoints()) == 3 && l.GetLoadBalancingWeight().GetValue() == 3000
	})
}
