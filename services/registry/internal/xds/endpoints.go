package xds

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"eventprospect/services/registry/internal/registry"
)

// maxWeight bounds an instance's weight, so that no sum of weights overflows 32 bits: clients refuse that.
const maxWeight = 1000

// endpoint is what clients are told of an instance.
type endpoint struct {
	host   string
	port   uint32
	zone   string
	weight uint32
}

// member is an instance, whatever its status.
type member struct {
	endpoint

	id     string
	serves bool // it is up, at an address that can be told
	since  time.Time
}

func newMember(instance registry.Instance) member {
	m := member{id: instance.ID, since: instance.UpdateTime}
	host, port, err := net.SplitHostPort(instance.Address)
	number, invalid := strconv.ParseUint(port, 10, 16)
	told := err == nil && invalid == nil && number > 0 && host != "" && utf8.ValidString(host) && utf8.ValidString(instance.Zone)
	m.serves = told && instance.Status() == registry.Up
	m.endpoint = endpoint{host: host, port: uint32(number), zone: instance.Zone, weight: min(max(instance.Weight, 1), maxWeight)}
	return m
}

// collect gives the endpoints of those that serve, in a fixed order. Of instances that share an address, as a process that came back
// does with the one that died, only the newest counts: clients refuse an address that comes twice.
func collect(members map[string]member) []endpoint {
	serving := make([]member, 0, len(members))
	for _, m := range members {
		if m.serves {
			serving = append(serving, m)
		}
	}
	slices.SortFunc(serving, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.port, b.port), b.since.Compare(a.since), cmp.Compare(a.id, b.id))
	})
	serving = slices.CompactFunc(serving, func(a, b member) bool { return a.host == b.host && a.port == b.port })
	endpoints := make([]endpoint, len(serving))
	for i, m := range serving {
		endpoints[i] = m.endpoint
	}
	return endpoints
}

// locality is a group of endpoints that are alike.
type locality struct {
	priority uint32
	zone     string
	weight   uint32 // of each of its endpoints
}

// assignment tells clients of a zone about the endpoints of a service. Endpoints of one zone and weight are one locality, whose weight
// is their sum: gRPC's round robin goes by the weights of localities, but not by those of endpoints, and Envoy can do so, too.
func assignment(name string, endpoints []endpoint, policy Policy, zone string) *endpointv3.ClusterLoadAssignment {
	home := policy.ZonePriority && zone != "" && slices.ContainsFunc(endpoints, func(e endpoint) bool { return e.zone == zone })
	groups := map[locality][]*endpointv3.LbEndpoint{}
	for _, e := range endpoints {
		group := locality{zone: e.zone, weight: 1}
		if policy.Weights {
			group.weight = e.weight
		}
		if home && e.zone != zone {
			group.priority = 1
		}
		groups[group] = append(groups[group], e.message())
	}
	result := &endpointv3.ClusterLoadAssignment{ClusterName: name}
	order := func(a, b locality) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.zone, b.zone), cmp.Compare(a.weight, b.weight))
	}
	for _, group := range slices.SortedFunc(maps.Keys(groups), order) {
		result.Endpoints = append(result.Endpoints, group.message(groups[group]))
	}
	return result
}

func (l locality) message(endpoints []*endpointv3.LbEndpoint) *endpointv3.LocalityLbEndpoints {
	id := &corev3.Locality{Zone: l.zone}
	if l.weight != 1 {
		// Two localities of one zone must have different names.
		id.SubZone = "weight-" + strconv.Itoa(int(l.weight))
	}
	return &endpointv3.LocalityLbEndpoints{
		Locality: id, Priority: l.priority, LbEndpoints: endpoints,
		LoadBalancingWeight: wrapperspb.UInt32(l.weight * uint32(len(endpoints))),
	}
}

func (e endpoint) message() *endpointv3.LbEndpoint {
	socket := &corev3.SocketAddress{Address: e.host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: e.port}}
	address := &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: socket}}
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: address}}}
}
