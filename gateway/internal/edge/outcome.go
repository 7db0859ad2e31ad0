package edge

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"eventprospect/gateway/internal/problem"
	"eventprospect/gateway/internal/route"
	"eventprospect/gateway/internal/strictjson"
	"eventprospect/mesh/fault"
)

// finish says in the head of an answer what HTTP has words for: 201 and where it is, 204, the etag, how many there are.
func finish(ctx context.Context, w http.ResponseWriter, reply proto.Message) error {
	c := callOf(ctx)
	body := c.route.Answer(reply)
	if etag := route.Text(body, "etag"); quotable(etag) {
		w.Header().Set("ETag", `"`+etag+`"`)
	}
	message := reply.ProtoReflect()
	if total := message.Descriptor().Fields().ByName("total_count"); total != nil && total.Kind() == protoreflect.Int32Kind {
		w.Header().Set("X-Total-Count", strconv.FormatInt(message.Get(total).Int(), 10))
	}
	switch status := successOf(c.route); status {
	case http.StatusNoContent:
		w.Header().Del("Content-Type")
		w.WriteHeader(status)
	case http.StatusCreated:
		w.Header().Set("Location", c.path+"/"+url.PathEscape(route.Text(body, "id")))
		w.WriteHeader(status)
	}
	return nil
}

// quotable tells whether an etag can stand in a header (RFC 9110, section 8.8.3).
func quotable(etag string) bool {
	return etag != "" && !strings.ContainsFunc(etag, func(r rune) bool { return r <= ' ' || r == '"' || r > '~' })
}

// handleError answers for a request that was routed. Faults come from the service or from the checks before it; a status
// was made by generated code, which has nothing left to find wrong but the body.
func (e *edge) handleError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Error
	st, isStatus := status.FromError(err)
	if c := callOf(r.Context()); !errors.As(err, &f) && isStatus && st.Code() == codes.InvalidArgument && c != nil && c.route.Body != nil {
		err = fault.InvalidFields(strictjson.Explain(c.body, c.route.Body.Message())...)
	}
	e.fail(w, r, err)
}

// handleRoutingError answers for a path, or a method of it, that doesn't exist.
func (e *edge) handleRoutingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	allowed := e.routes.Allowed(r.URL.EscapedPath())
	if code == http.StatusMethodNotAllowed && len(allowed) > 0 {
		e.fail(w, r, wrongMethod(allowed))
		return
	}
	e.fail(w, r, noSuchPath())
}

// fail answers with the problem in an error, and logs it if it is a defect: nobody else will learn its cause.
func (e *edge) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problem.From(err)
	if span := trace.SpanContextFromContext(r.Context()); span.HasTraceID() {
		p.TraceID = span.TraceID().String()
	}
	if p.Status == http.StatusInternalServerError {
		e.log(r, err)
	}
	p.Write(w)
}

// log writes down a defect, with the route and never the path, the query or a header: they hold personal data and secrets.
func (e *edge) log(r *http.Request, err error) {
	var pattern string
	if c := callOf(r.Context()); c != nil {
		pattern = c.route.Template
	}
	e.Log.ErrorContext(r.Context(), "request failed", "method", knownMethod(r.Method), "route", pattern, "error", err)
}
