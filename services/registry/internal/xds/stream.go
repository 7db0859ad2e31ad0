package xds

import (
	"context"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	statusv1 "google.golang.org/genproto/googleapis/rpc/status"
)

// maxNames bounds the resources that one stream asks for by name.
const maxNames = 50_000

// StreamAggregatedResources implements ADS: each answer holds all resources of a type that the client asked for, or those that changed.
func (s *Server) StreamAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	c, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer c.leave()
	return c.reason(s.sotw.StreamHandler(sotwStream{stream, c}, resourcev3.AnyType))
}

// DeltaAggregatedResources implements the incremental ADS: each answer holds what changed.
func (s *Server) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	c, err := s.admit(stream.Context())
	if err != nil {
		return err
	}
	defer c.leave()
	names := map[string]map[string]struct{}{}
	return c.reason(s.delta.DeltaStreamHandler(deltaStream{stream, c, names}, resourcev3.AnyType))
}

// client is the other end of a stream.
type client struct {
	server *Server
	ctx    context.Context // of the stream

	mu   sync.Mutex
	node *corev3.Node // what counts of the first request's, with the view as zone; nil before
	left bool
	err  error // why the stream has to end
}

// admit lets a stream in, or fails with Exhausted or Unavailable.
func (s *Server) admit(ctx context.Context) (*client, error) {
	if s.ended.Err() != nil {
		return nil, stopping()
	}
	if n := s.streams.Add(1); n > int64(s.cfg.MaxStreams) {
		s.streams.Add(-1)
		return nil, exhausted("there are %d streams already", s.cfg.MaxStreams)
	}
	return &client{server: s, ctx: ctx}, nil
}

func (c *client) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
	if c.node != nil {
		c.server.resources.endpoints.leave(c.node.GetLocality().GetZone())
	}
	c.server.streams.Add(-1)
}

// reason tells why the stream ends.
func (c *client) reason(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case err == nil && c.server.ended.Err() != nil:
		return stopping()
	}
	return err
}

// fail ends the stream for a reason.
func (c *client) fail(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	return err
}

// identify gives the node of all requests of the stream: only the first one has to tell it.
func (c *client) identify(told *corev3.Node) *corev3.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node == nil && !c.left {
		zone, err := c.server.resources.endpoints.enter(told.GetLocality().GetZone())
		if err != nil {
			c.server.log.Error("xds: resources can't be told", "error", err)
		}
		c.node = &corev3.Node{Id: shorten(told.GetId()), Locality: &corev3.Locality{Zone: zone}}
	}
	return c.node
}

// request is what both kinds of request have.
type request interface {
	GetNode() *corev3.Node
	GetTypeUrl() string
	GetErrorDetail() *statusv1.Status
}

// hear takes note of a request, and tells when it can be answered and whether it is to be. It fails as the stream's context does.
func (c *client) hear(r request, names []string) (*corev3.Node, bool, error) {
	node := c.identify(r.GetNode())
	if refused := r.GetErrorDetail(); refused != nil {
		c.server.refusals.note(node.GetId(), r.GetTypeUrl(), refused.GetMessage())
	}
	if r.GetTypeUrl() == resourcev3.AnyType {
		return node, true, nil // which is refused
	}
	if !c.server.resources.serves(r.GetTypeUrl()) {
		// There is none and never will be. An error would end the stream, and all else with it.
		return node, false, nil
	}
	return node, true, c.server.patience.wait(c.ctx, names)
}

// sotwStream hands on requests when they can be answered.
type sotwStream struct {
	discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer

	client *client
}

// Recv implements stream.Stream.
func (s sotwStream) Recv() (*discoveryv3.DiscoveryRequest, error) {
	for {
		r, err := s.AggregatedDiscoveryService_StreamAggregatedResourcesServer.Recv()
		if err != nil {
			return nil, err
		}
		if len(r.GetResourceNames()) > maxNames {
			return nil, s.client.fail(tooManyNames())
		}
		node, served, err := s.client.hear(r, r.GetResourceNames())
		if err != nil {
			return nil, err
		}
		if served {
			r.Node = node
			return r, nil
		}
	}
}

// deltaStream does so for the other kind.
type deltaStream struct {
	discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer

	client *client
	names  map[string]map[string]struct{} // asked for, by type
}

// Recv implements stream.DeltaStream.
func (s deltaStream) Recv() (*discoveryv3.DeltaDiscoveryRequest, error) {
	for {
		r, err := s.AggregatedDiscoveryService_DeltaAggregatedResourcesServer.Recv()
		if err != nil {
			return nil, err
		}
		if !s.count(r) {
			return nil, s.client.fail(tooManyNames())
		}
		node, served, err := s.client.hear(r, r.GetResourceNamesSubscribe())
		if err != nil {
			return nil, err
		}
		if served {
			r.Node = node
			return r, nil
		}
	}
}

// count keeps account of the names that the stream asks for, and tells whether they aren't too many. Requests add to those before.
func (s deltaStream) count(r *discoveryv3.DeltaDiscoveryRequest) bool {
	if !s.client.server.resources.serves(r.GetTypeUrl()) {
		return true
	}
	names := s.names[r.GetTypeUrl()]
	if names == nil {
		names = map[string]struct{}{}
		s.names[r.GetTypeUrl()] = names
	}
	for _, name := range r.GetResourceNamesSubscribe() {
		names[name] = struct{}{}
	}
	for _, name := range r.GetResourceNamesUnsubscribe() {
		delete(names, name)
	}
	return len(names) <= maxNames
}

func tooManyNames() error {
	return exhausted("a stream can ask for at most %d resources of a type by name", maxNames)
}
