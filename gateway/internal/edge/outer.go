package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	"eventprospect/gateway/internal/problem"
	"eventprospect/gateway/internal/route"
	"eventprospect/mesh/fault"
)

// answer remembers what was answered.
type answer struct {
	http.ResponseWriter
	status int // 0: nothing yet
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(data []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(data)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// traced makes a span of each request, in the trace that the client began, if it did. The span tells the route and never
// the path or the query: they hold personal data.
func (e *edge) traced(next http.Handler) http.Handler {
	tracer := e.Traces.Tracer("eventprospect/gateway")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := knownMethod(r.Method)
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := tracer.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(semconv.HTTPRequestMethodKey.String(method)))
		defer span.End()
		a := &answer{ResponseWriter: w}
		defer func() {
			span.SetAttributes(semconv.HTTPResponseStatusCode(a.status))
			if a.status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
		}()
		next.ServeHTTP(a, r.WithContext(ctx))
	})
}

// knownMethod keeps a client from making up names of spans.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "_OTHER"
}

// nameSpan tells the span its route, once that is known.
func nameSpan(ctx context.Context, r *route.Route) {
	span := trace.SpanFromContext(ctx)
	span.SetName(r.Method + " " + r.Template)
	span.SetAttributes(semconv.HTTPRoute(r.Template))
}

// recovered answers for a handler that panics, and cuts the connection if it is too late for that.
func (e *edge) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			panicked := recover()
			if panicked == nil {
				return
			}
			if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(panicked)
			}
			cause := fmt.Errorf("%v\n%s", panicked, debug.Stack())
			if a, ok := w.(*answer); ok && a.status != 0 {
				e.log(r, cause)
				panic(http.ErrAbortHandler)
			}
			e.fail(w, r, fault.New(fault.Internal, "panic").Because(cause))
		}()
		next.ServeHTTP(w, r)
	})
}

// limited sets the request's deadline, which the call to the service inherits, and what holds for every answer.
func (e *edge) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), e.Timeout)
		defer cancel()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// withDocument serves the OpenAPI document, which is all that needs no token.
func (e *edge) withDocument(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimSuffix(r.URL.Path, "/") != "/openapi.json" {
			next.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			e.fail(w, r, wrongMethod([]string{http.MethodGet, http.MethodHead}))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-cache")
		// The client may be gone; there is nobody left to tell.
		_, _ = w.Write(e.document)
	})
}

func wrongMethod(allowed []string) *problem.Problem {
	methods := strings.Join(allowed, ", ")
	return problem.New(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this path takes "+methods).With("Allow", methods)
}
