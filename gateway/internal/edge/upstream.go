package edge

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/protobuf/proto"

	"eventprospect/mesh/fault"
)

// upstream is the connection to a service, as generated code sees it. It adds to the request what came in headers, and
// says errors in the terms of the JSON client.
type upstream struct {
	*grpc.ClientConn
	name string
}

// Invoke makes a unary call.
func (u upstream) Invoke(ctx context.Context, method string, request, reply any, options ...grpc.CallOption) error {
	c := callOf(ctx)
	if err := c.condition(request); err != nil {
		return err
	}
	err := u.ClientConn.Invoke(ctx, method, request, reply, options...)
	if fault.Is(err, fault.Timeout) && u.GetState() != connectivity.Ready {
		// The time went by waiting for an instance to turn up: that is not the request's fault.
		return fault.Away("the "+u.name+" service", time.Second).Because(err)
	}
	return c.inClientTerms(err)
}

// condition puts the etag of If-Match into a request.
func (c *call) condition(request any) error {
	message, ok := request.(proto.Message)
	if c.etag == "" || !ok {
		return nil
	}
	etag, set := c.route.Etag(message)
	if etag != "" && etag != c.etag {
		return fault.InvalidField("If-Match", "differs from the etag that the request gives besides")
	}
	set(c.etag)
	return nil
}

// inClientTerms names fields as they stand in the JSON.
func (c *call) inClientTerms(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Violations) == 0 {
		return err
	}
	violations := make([]fault.Violation, len(f.Violations))
	for i, v := range f.Violations {
		violations[i] = fault.Violation{Field: c.route.ClientField(v.Field), Detail: v.Detail}
	}
	said := *f
	said.Violations, said.Message = violations, fault.InvalidFields(violations...).Message
	return &said
}
