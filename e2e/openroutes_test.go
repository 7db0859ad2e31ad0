package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"eventprospect/dev/system"
	"eventprospect/e2e/client"
	"eventprospect/mesh"
)

// usualPaths are what libraries serve unasked, and what others look for first.
var usualPaths = []string{
	"/", "/nothing", "/openapi.json", "/livez", "/readyz", "/health", "/healthz", "/status", "/info", "/env", "/version", "/metrics",
	"/actuator", "/actuator/env", "/debug", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/debug/requests", "/debug/events",
	"/v2/keys", "/v3/kv/range", "/eureka/nothing", "/xds/nothing", "/assets/", "/.git/config", "/.well-known/openid-configuration",
}

var httpMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace,
}

// offered are the contracts that the gateway offers.
var offered = []protoreflect.FullName{"event.v1", "prospect.v1", "registry.v1"}

// everyPort gives all ports of our processes, with their routes.
func (w *world) everyPort(t *testing.T) []port {
	t.Helper()
	at := w.system.Endpoints
	return []port{
		{"gateway", strings.TrimPrefix(at.Gateway, "http://"), w.gatewayRoutes(t)},
		{"event", at.Event, nil},
		{"prospect", at.Prospect, nil},
		{"registry", at.Registry, system.RegistryRoutes()},
		{"gateway admin", at.GatewayAdmin, mesh.AdminRoutes()},
		{"event admin", at.EventAdmin, mesh.AdminRoutes()},
		{"prospect admin", at.ProspectAdmin, mesh.AdminRoutes()},
		{"registry admin", at.RegistryAdmin, mesh.AdminRoutes()},
	}
}

// gatewayRoutes gives those of the contracts, and those of the OpenAPI document, which must be among them.
func (w *world) gatewayRoutes(t *testing.T) []string {
	t.Helper()
	routes := []string{"GET /openapi.json"}
	for _, method := range everyMethodDescriptor() {
		rule, _ := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
		if rule == nil || !slices.Contains(offered, method.ParentFile().Package()) {
			continue
		}
		for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
			routes = append(routes, routeOf(r))
		}
	}
	request, err := w.Request(t.Context(), http.MethodGet, "/openapi.json", "")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.Do(request, client.Nobody)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		t.Fatal(err)
	}
	for path, operations := range document.Paths {
		for method := range operations {
			if route := strings.ToUpper(method) + " " + path; !slices.ContainsFunc(routes, func(r string) bool { return plain(r) == plain(route) }) {
				t.Errorf("%s is in the OpenAPI document, and in no contract", route)
			}
		}
	}
	if len(document.Paths) == 0 || len(routes) < len(document.Paths) {
		t.Errorf("%d paths in the OpenAPI document, %d routes in the contracts", len(document.Paths), len(routes))
	}
	return routes
}

// routeOf gives the route of a contract's rule.
func routeOf(r *annotations.HttpRule) string {
	switch p := r.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		return "GET " + p.Get
	case *annotations.HttpRule_Post:
		return "POST " + p.Post
	case *annotations.HttpRule_Put:
		return "PUT " + p.Put
	case *annotations.HttpRule_Patch:
		return "PATCH " + p.Patch
	case *annotations.HttpRule_Delete:
		return "DELETE " + p.Delete
	}
	return "unknown"
}

var pathVariable = regexp.MustCompile(`\{[^}]*\}`)

// plain gives a path in which every variable is an x.
func plain(path string) string {
	return pathVariable.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "x")
}

// documentedAs gives the name of a pattern in the table, where Eureka's paths stand once.
func documentedAs(pattern string) string {
	method, path, _ := strings.Cut(strings.ReplaceAll(pattern, "{$}", ""), " ")
	if rest, eureka := strings.CutPrefix(path, "/eureka/v2"); eureka {
		path = "/eureka" + rest
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return method + " " + path
}

// openPaths gives what an HTTP client gets to without a token.
func (p port) openPaths(t *testing.T, paths []string) (open []string) {
	transport := &http.Transport{DisableKeepAlives: p.routes == nil}
	defer transport.CloseIdleConnections()
	browser := &http.Client{
		Transport: transport, Timeout: client.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	served := http.NewServeMux()
	for _, route := range p.routes {
		served.Handle(pathVariable.ReplaceAllStringFunc(route, func(v string) string { return strings.ReplaceAll(v, ".", "_") }), http.NotFoundHandler())
	}
	for _, path := range paths {
		for _, method := range httpMethods {
			request, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.address+plain(path), http.NoBody)
			if err != nil {
				t.Error(err)
				continue
			}
			_, route := served.Handler(request)
			code, err := codeOf(browser, request)
			switch {
			case err != nil && p.routes != nil:
				t.Errorf("%s: %v", p.name, err)
			case err != nil: // no HTTP is spoken here
			case refuses(code, route != ""):
			case route != "":
				open = append(open, documentedAs(route))
			default:
				open = append(open, method+" "+plain(path))
			}
		}
	}
	return open
}

// codeOf makes a request and gives the code of the answer, whose body may be without end.
func codeOf(browser *http.Client, request *http.Request) (int, error) {
	answer, err := browser.Do(request)
	if err != nil {
		return 0, err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, max(0, answer.ContentLength)) // so that the connection can be used again
	return answer.StatusCode, answer.Body.Close()
}

// refuses tells whether an answer lets nobody in. That something isn't there says so only where nothing is served: behind a
// route it is an answer about what there is.
func refuses(code int, served bool) bool {
	return code == http.StatusUnauthorized || code == http.StatusForbidden ||
		!served && (code == http.StatusNotFound || code == http.StatusMethodNotAllowed)
}

// everyMethodDescriptor gives every RPC that is known to this program, in which the whole system runs.
func everyMethodDescriptor() (all []protoreflect.MethodDescriptor) {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				all = append(all, methods.Get(j))
			}
		}
		return true
	})
	return all
}

// everyMethod gives the names of every RPC: those that libraries bring along must be served no more than ours.
func everyMethod() []string {
	all := []string{"event.v1.EventService/Nothing", "nothing.v1.Nothing/Nothing"}
	for _, method := range everyMethodDescriptor() {
		all = append(all, string(method.Parent().FullName())+"/"+string(method.Name()))
	}
	return all
}

// empty is a codec that sends messages without a field, and reads none.
type empty struct{}

func (empty) Marshal(any) ([]byte, error) { return nil, nil }
func (empty) Unmarshal([]byte, any) error { return nil }
func (empty) Name() string                { return "proto" }

// openMethods gives what a gRPC client gets to without a token.
func (p port) openMethods(t *testing.T, methods []string) (open []string) {
	conn, err := grpc.NewClient("passthrough:///"+p.address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Error(err)
		return nil
	}
	defer func() { _ = conn.Close() }()
	for _, method := range methods {
		switch code := callEmpty(t, conn, method); code {
		case codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented:
		case codes.Unavailable:
			t.Errorf("%s: %s can't be called", p.name, method)
		default:
			open = append(open, method)
		}
	}
	return open
}

// callEmpty sends an empty request, as to a stream, which is the same to the other end, and gives the first answer's code.
func callEmpty(t *testing.T, conn *grpc.ClientConn, method string) codes.Code {
	ctx, cancel := context.WithTimeout(t.Context(), client.Patience)
	defer cancel()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/"+method, grpc.ForceCodec(empty{}))
	if err != nil {
		return status.Code(err)
	}
	// If it is gone already, the reason comes with the answer.
	_ = stream.SendMsg(nil)
	_ = stream.CloseSend()
	if err = stream.RecvMsg(nil); errors.Is(err, io.EOF) {
		return codes.OK
	}
	return status.Code(err)
}
