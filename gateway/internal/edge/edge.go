// Package edge is the HTTP handler of the gateway. What comes in is checked as far as the contracts can tell, turned into
// a gRPC call, and whatever goes wrong on the way leaves as one kind of answer.
package edge

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"eventprospect/gateway/internal/route"
	"eventprospect/gateway/internal/strictjson"
	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/gen/openapi"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh/rpc"
	"eventprospect/mesh/telemetry"
)

// Config is what the edge needs.
type Config struct {
	// MaxBody bounds the body of a request, in bytes.
	MaxBody int64
	// Timeout bounds a request.
	Timeout time.Duration

	Verifier rpc.Verifier
	Traces   *telemetry.Traces
	Log      *slog.Logger

	// Event, Prospect and Registry lead to the services. They carry no credentials: each call goes out under the token
	// of the one who made the request.
	Event, Prospect, Registry *grpc.ClientConn
}

// edge is the handler's parts.
type edge struct {
	Config
	routes   *route.Table
	document []byte // OpenAPI, as JSON
}

// Contracts gives the contracts whose RPCs the edge offers.
func Contracts() []protoreflect.FileDescriptor {
	return []protoreflect.FileDescriptor{
		eventv1.File_event_v1_event_proto,
		prospectv1.File_prospect_v1_prospect_proto,
		registryv1.File_registry_v1_registry_proto,
	}
}

// New makes the handler.
func New(cfg Config) (http.Handler, error) {
	routes, err := route.NewTable(Contracts()...)
	if err != nil {
		return nil, err
	}
	described, err := document(openapi.Document, routes)
	if err != nil {
		return nil, err
	}
	e := &edge{Config: cfg, routes: routes, document: described}
	transcoder, err := e.transcoder()
	if err != nil {
		return nil, err
	}
	// From the inside to the outside: a request meets the last one first.
	handler := e.forward(transcoder)
	handler = e.authenticated(handler)
	handler = e.withDocument(handler)
	handler = e.limited(handler)
	handler = e.recovered(handler)
	return e.traced(handler), nil
}

// transcoder makes the translation between REST and gRPC, as the contracts describe it.
func (e *edge) transcoder() (http.Handler, error) {
	nothing := func(string) (string, bool) { return "", false }
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, strictjson.NewCodec()),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithWriteContentLength(),
		// A variable is one segment, of any characters: an encoded slash is one of them.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		// No header crosses, in either direction; the Authorization header does by itself.
		runtime.WithIncomingHeaderMatcher(nothing),
		runtime.WithOutgoingHeaderMatcher(nothing),
		runtime.WithOutgoingTrailerMatcher(nothing),
		runtime.WithMiddlewares(e.admitted),
		runtime.WithForwardResponseOption(finish),
		runtime.WithErrorHandler(e.handleError),
		runtime.WithRoutingErrorHandler(e.handleRoutingError),
	)
	ctx := context.Background()
	event := eventv1.NewEventServiceClient(upstream{e.Event, "event"})
	if err := eventv1.RegisterEventServiceHandlerClient(ctx, mux, event); err != nil {
		return nil, err
	}
	prospect := prospectv1.NewProspectServiceClient(upstream{e.Prospect, "prospect"})
	if err := prospectv1.RegisterProspectServiceHandlerClient(ctx, mux, prospect); err != nil {
		return nil, err
	}
	registry := registryv1.NewRegistryServiceClient(upstream{e.Registry, "registry"})
	return mux, registryv1.RegisterRegistryServiceHandlerClient(ctx, mux, registry)
}
