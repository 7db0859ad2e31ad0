//go:build linux

package scale

import (
	"context"
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protowire"

	registryv1 "eventprospect/gen/registry/v1"
)

// native is the mesh's own Watch.
type native struct{}

func (native) name() string { return "native" }

func (native) follow(ctx context.Context, conn *grpc.ClientConn, service string) (func() (int, error), error) {
	stream, err := registryv1.NewRegistryServiceClient(conn).Watch(ctx, &registryv1.WatchRequest{Service: service})
	if err != nil {
		return nil, err
	}
	up := map[string]bool{}
	return func() (int, error) {
		change, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		if change.GetSnapshot() {
			clear(up)
		}
		for _, instance := range change.GetInstances() {
			up[instance.GetId()] = true
		}
		for _, id := range change.GetRemovedIds() {
			delete(up, id)
		}
		return len(up), nil
	}, nil
}

// xds is an ADS stream in the variant that gRPC speaks (state of the world), on which a client follows the endpoints of a service.
type xds struct{}

const endpointType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"

func (xds) name() string { return "xDS" }

func (xds) follow(ctx context.Context, conn *grpc.ClientConn, service string) (func() (int, error), error) {
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).StreamAggregatedResources(ctx)
	if err != nil {
		return nil, err
	}
	request := &discoveryv3.DiscoveryRequest{Node: &corev3.Node{Id: "chaos"}, TypeUrl: endpointType, ResourceNames: []string{service}}
	if err := stream.Send(request); err != nil {
		return nil, err
	}
	return func() (int, error) {
		answer, err := stream.Recv()
		if err != nil {
			return 0, err
		}
		ack := &discoveryv3.DiscoveryRequest{
			TypeUrl: endpointType, ResourceNames: []string{service}, VersionInfo: answer.GetVersionInfo(), ResponseNonce: answer.GetNonce(),
		}
		if err := stream.Send(ack); err != nil {
			return 0, err
		}
		if len(answer.GetResources()) != 1 {
			return 0, fmt.Errorf("%d resources, want 1", len(answer.GetResources()))
		}
		return endpoints(answer.GetResources()[0].GetValue())
	}, nil
}

// endpoints counts those in an encoded ClusterLoadAssignment. It isn't decoded: with all watchers in one process that alone would take
// longer than anything else.
func endpoints(assignment []byte) (int, error) {
	n := 0
	err := fields(assignment, 2, func(locality []byte) error { // endpoints
		return fields(locality, 2, func([]byte) error { n++; return nil }) // lb_endpoints
	})
	return n, err
}

// fields calls back for every value of a field of an encoded message, which must be of messages.
func fields(message []byte, number protowire.Number, take func([]byte) error) error {
	for len(message) > 0 {
		field, kind, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return protowire.ParseError(tag)
		}
		length := protowire.ConsumeFieldValue(field, kind, message[tag:])
		if length < 0 {
			return protowire.ParseError(length)
		}
		if field == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(message[tag:])
			if err := take(value); err != nil {
				return err
			}
		}
		message = message[tag+length:]
	}
	return nil
}
