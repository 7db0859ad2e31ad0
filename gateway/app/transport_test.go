package app_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	eventv1 "eventprospect/gen/event/v1"
)

func lengthOf(text string) string { return strconv.Itoa(len(text)) }

// trick is a request that must not get through.
type trick struct {
	name string
	text string // of HTTP/1.1; empty: fields are of HTTP/2
	// fields are the request's; each is sent with this body.
	fields []field
	body   []byte
	// status is the HTTP status that is wanted, 0 for being cut off; reason is part of the answer.
	status int
	reason string
}

const (
	unauthenticated = "UNAUTHENTICATED"
	noToken         = "a bearer token is required"
	twoHeaders      = "there is more than one authorization header"
	roleMissing     = "ROLE_MISSING"
	noPath          = "NO_SUCH_PATH"
	noMethod        = "METHOD_NOT_ALLOWED"
)

func TestTricksOfTheTransportAreRefusedOverREST(t *testing.T) {
	t.Parallel()
	w := newTarget(t)
	reader, editor := "Bearer "+w.issuer.Token("reader"), "Bearer "+w.issuer.Token("reader", "editor")
	tricks := headerTricks(reader, editor)
	tricks = append(tricks, pathTricks(editor)...)
	tricks = append(tricks, methodTricks(editor)...)
	tricks = append(tricks, http2Tricks(reader, editor)...)
	for _, trick := range tricks {
		var got reply
		if trick.text != "" {
			got = sendHTTP1(t, w.gateway, trick.text)
		} else {
			got = sendHTTP2(t, w.gateway, trick.fields, trick.body)
		}
		if got.status != trick.status || !strings.Contains(got.body, trick.reason) {
			t.Errorf("%s: %d %q, want %d %s", trick.name, got.status, got.body, trick.status, trick.reason)
		}
		if strings.Contains(got.body, strings.TrimPrefix(editor, "Bearer ")) {
			t.Errorf("%s: the token is repeated: %s", trick.name, got.body)
		}
		w.mustBeUnreached(t, trick.name)
	}
	t.Logf("%d tricks over REST", len(tricks))
}

// headerTricks put tokens, and who one would like to be, where they don't belong.
func headerTricks(reader, editor string) []trick {
	token := strings.TrimPrefix(editor, "Bearer ")
	auth := func(value string) string { return "Authorization: " + value }
	unknown, denied := http.StatusUnauthorized, http.StatusForbidden
	var all []trick
	add := func(name string, status int, reason string, lines ...string) {
		all = append(all, trick{name: "header: " + name, text: post("/v1/events", lines...), status: status, reason: reason})
	}
	add("twice the same", unknown, twoHeaders, auth(editor), auth(editor))
	add("good, then bad", unknown, twoHeaders, auth(editor), auth("Bearer x"))
	add("bad, then good", unknown, twoHeaders, auth("Bearer x"), auth(editor))
	add("another scheme, then good", unknown, twoHeaders, auth("Basic x"), auth(editor))
	add("empty, then good", unknown, twoHeaders, auth(""), auth(editor))
	add("in two cases", unknown, twoHeaders, "authorization: "+editor, "AUTHORIZATION: "+editor)
	add("a space before the colon", http.StatusBadRequest, "", "Authorization : "+editor)
	add("folded", http.StatusUnauthorized, unauthenticated, "Authorization: Bearer\r\n "+token+" "+token)
	add("a zero byte", http.StatusBadRequest, "", auth(editor+"\x00"))
	add("too long", http.StatusRequestHeaderFieldsTooLarge, "", "X-Long: "+strings.Repeat("x", 128<<10), auth(editor))
	for _, line := range []string{
		"Proxy-Authorization: " + editor, "Cookie: access_token=" + token, "Cookie: Authorization=" + editor, "X-Authorization: " + editor,
		"Grpc-Metadata-Authorization: " + editor, "Grpc-Metadata-User-Authorization: " + editor, "User-Authorization: " + editor,
		"Authorization-Bin: " + token, "X-Access-Token: " + token, "Sec-WebSocket-Protocol: " + token, "X-User: root", "X-Forwarded-User: root",
		"X-Forwarded-For: 127.0.0.1", "X-Original-Url: /openapi.json", "X-Rewrite-Url: /openapi.json", "X-Forwarded-Uri: /openapi.json",
		"Forwarded: for=127.0.0.1", "X-Client-Cert: root", "Connection: Authorization",
	} {
		name, _, _ := strings.Cut(line, ":")
		add("nothing but "+name, unknown, noToken, line)
	}
	for _, line := range []string{
		"Grpc-Metadata-Authorization: " + editor, "Grpc-Metadata-User-Authorization: " + editor, "User-Authorization: " + editor,
		"X-User: root", "X-Roles: editor", "Grpc-Metadata-X-User: root", "X-Remote-User: root", "X-Http-Method-Override: GET",
		"X-Http-Method: GET", "X-Method-Override: GET", "Grpc-Metadata-Roles: editor", "Cookie: access_token=" + token,
	} {
		name, _, _ := strings.Cut(line, ":")
		add("a reader with "+name, denied, roleMissing, auth(reader), line)
	}
	return all
}

// pathTricks would like to be taken for another path, with and without a token.
func pathTricks(editor string) []trick {
	auth := "Authorization: " + editor
	var all []trick
	for _, path := range []string{
		"//v1/events", "/v1//events", "/v1/events//", "/./v1/events", "/v1/./events", "/v1/../v1/events", "/v1/%2e%2e/v1/events",
		"/v1/%2E%2E/v1/events", "/v1/events/%2e%2e", "/v1/events/..", "/%2fv1/events", "/v1%2fevents", "/v1%2Fevents", "/v1/events%2f",
		"/v1/events%00", "/v1\\events", "/openapi.json/../v1/events", "/openapi.json/%2e%2e/v1/events", "/openapi.json%2f..%2fv1/events",
		"//openapi.json/v1/events", "/V1/events", "/v1/events;a=b", "/v1/events%3f", "/event.v1.EventService/CreateEvent",
		"/v1/events:create", "/ms-event/events", "*",
	} {
		all = append(all,
			trick{name: "path: " + path, text: post(path, auth), status: http.StatusNotFound, reason: noPath},
			trick{name: "path without a token: " + path, text: post(path), status: http.StatusUnauthorized, reason: noToken})
	}
	for name, target := range map[string]string{
		"absolute": "http://x/v1/events", "another host": "http://evil.example/v1/events", "a token in the query": "/v1/events?access_token=" + strings.TrimPrefix(editor, "Bearer "),
		"a token as authorization": "/v1/events?authorization=" + strings.ReplaceAll(editor, " ", "%20"), "the document in the query": "/v1/events?/openapi.json",
		"the document in the fragment": "/v1/events#/openapi.json",
	} {
		all = append(all, trick{name: "target: " + name, text: post(target), status: http.StatusUnauthorized, reason: noToken})
	}
	return append(all,
		trick{name: "path: no slash in front", text: post("v1/events", auth), status: http.StatusBadRequest},
		trick{name: "path: a bad escape", text: post("/v1/%zz", auth), status: http.StatusBadRequest},
		trick{name: "query: a token besides", text: post("/v1/events?access_token=x", auth), status: http.StatusBadRequest, reason: "access_token"},
		trick{name: "body: lengths that differ", text: post("/v1/events", auth, "Content-Length: 3"), status: http.StatusBadRequest})
}

// methodTricks would like to be taken for another method.
func methodTricks(editor string) []trick {
	auth := "Authorization: " + editor
	const path = "/v1/events/0195f0c8-1111-7000-8000-000000000001"
	var all []trick
	for _, method := range []string{"TRACE", "CONNECT", "OPTIONS", "PUT", "LINK", "post", "Delete"} {
		all = append(all,
			trick{name: "method: " + method, text: request(method, path, "", auth), status: http.StatusMethodNotAllowed, reason: noMethod},
			trick{name: "method without a token: " + method, text: request(method, path, ""), status: http.StatusUnauthorized, reason: noToken})
	}
	for _, line := range []string{"X-Http-Method-Override: DELETE", "X-Http-Method: DELETE", "X-Method-Override: DELETE"} {
		name, _, _ := strings.Cut(line, ":")
		all = append(all, trick{
			name: "method: " + name, text: request("POST", path, `{"name":"x"}`, auth, line), status: http.StatusMethodNotAllowed, reason: noMethod,
		})
	}
	return append(all,
		trick{name: "method: in the query", text: request("POST", path+"?_method=DELETE", `{"name":"x"}`, auth), status: http.StatusMethodNotAllowed, reason: noMethod},
		trick{name: "method: a tunnel", text: request("CONNECT", "127.0.0.1:1", "", auth), status: http.StatusNotFound, reason: noPath},
		trick{name: "method: a tunnel without a token", text: request("CONNECT", "127.0.0.1:1", ""), status: http.StatusUnauthorized, reason: noToken})
}

// http2Tricks are what only bytes of one's own can say.
func http2Tricks(reader, editor string) []trick {
	body := []byte(`{"name":"Fair"}`)
	head := func(path string, more ...field) []field {
		all := []field{{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", path}, {"content-type", "application/json"}}
		return append(all, more...)
	}
	grpcTo := func(more ...field) []field {
		return append([]field{
			{":method", "POST"},
			{":scheme", "http"},
			{":authority", "x"},
			{":path", createEvent},
			{"content-type", "application/grpc"},
			{"te", "trailers"},
		}, more...)
	}
	good := field{"authorization", editor}
	return []trick{
		{"HTTP/2: no slash in front", "", head("v1/events", good), body, 0, ""},
		{"HTTP/2: an empty path", "", head("", good), body, 0, ""},
		{"HTTP/2: a whole URL as path", "", head("http://x/v1/events"), body, http.StatusUnauthorized, noToken},
		{"HTTP/2: two slashes", "", head("//v1/events", good), body, http.StatusNotFound, noPath},
		{"HTTP/2: two slashes without a token", "", head("//v1/events"), body, http.StatusUnauthorized, noToken},
		{"HTTP/2: a step up", "", head("/openapi.json/../v1/events"), body, http.StatusUnauthorized, noToken},
		{"HTTP/2: two authorizations", "", head("/v1/events", good, good), body, http.StatusUnauthorized, twoHeaders},
		{"HTTP/2: bad, then good", "", head("/v1/events", field{"authorization", "Bearer x"}, good), body, http.StatusUnauthorized, twoHeaders},
		{"HTTP/2: a name in capitals", "", head("/v1/events", field{"Authorization", editor}), body, 0, ""},
		{"HTTP/2: another user", "", head("/v1/events", field{"authorization", reader}, field{"user-authorization", editor}), body, http.StatusForbidden, roleMissing},
		{"HTTP/2: two paths", "", head("/v1/events", field{":path", "/openapi.json"}, good), body, 0, ""},
		{"HTTP/2: a pseudo-header behind", "", head("/v1/events", good, field{":authority", "y"}), body, 0, ""},
		{"gRPC at the gateway", "", grpcTo(good), createRequest(), http.StatusNotFound, noPath},
		{"gRPC at the gateway, without a token", "", grpcTo(), createRequest(), http.StatusUnauthorized, noToken},
	}
}

const createEvent = "/event.v1.EventService/CreateEvent"

// createRequest is a request to create an event, as gRPC sends it.
func createRequest() []byte {
	encoded, err := proto.Marshal(&eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "Fair"}})
	if err != nil {
		panic(err) // it always can
	}
	return message(encoded)
}

func TestTricksOfTheTransportAreRefusedOverGRPC(t *testing.T) {
	t.Parallel()
	w := newTarget(t)
	reader, editor := "Bearer "+w.issuer.Token("reader"), "Bearer "+w.issuer.Token("reader", "editor")
	tricks := grpcTricks(reader, editor)
	for _, trick := range tricks {
		got := sendHTTP2(t, w.event, trick.fields, createRequest())
		if got.code != trick.code || got.status != trick.status || !strings.Contains(got.message, trick.reason) {
			t.Errorf("%s: status %d, code %d %q, want %d, %d %s", trick.name, got.status, got.code, got.message, trick.status, trick.code, trick.reason)
		}
		w.mustBeUnreached(t, trick.name)
	}
	t.Logf("%d tricks over gRPC", len(tricks))
	// The same with nothing wrong gets through, or all of this would tell nothing.
	got := sendHTTP2(t, w.event, grpcHead(createEvent, field{"authorization", editor}), createRequest())
	if _, request := w.events.Seen(); got.code != int(codes.OK) || request == nil {
		t.Errorf("a good request gets %+v", got)
	}
}

// grpcTrick is a call that must not get through.
type grpcTrick struct {
	name   string
	fields []field
	// status is the HTTP status that is wanted and code that of gRPC, 0 and -1 for being cut off.
	status, code int
	reason       string
}

func grpcHead(path string, more ...field) []field {
	return append([]field{
		{":method", "POST"},
		{":scheme", "http"},
		{":authority", "x"},
		{":path", path},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
	}, more...)
}

func grpcTricks(reader, editor string) []grpcTrick {
	good := field{"authorization", editor}
	refused := func(name string, code codes.Code, reason string, more ...field) grpcTrick {
		return grpcTrick{name, grpcHead(createEvent, more...), http.StatusOK, int(code), reason}
	}
	all := []grpcTrick{
		refused("two authorizations", codes.Unauthenticated, twoHeaders, good, good),
		refused("bad, then good", codes.Unauthenticated, twoHeaders, field{"authorization", "Bearer x"}, good),
		refused("a reader for an editor", codes.PermissionDenied, "editor", field{"authorization", reader}, field{"user-authorization", editor}),
		refused("an editor for an editor", codes.PermissionDenied, "only a service", good, field{"user-authorization", editor}),
	}
	for _, name := range []string{
		"user-authorization", "grpc-metadata-authorization", "proxy-authorization", "x-authorization", "cookie", "x-user", "x-forwarded-user",
		"x-forwarded-for", "authorization-bin", "x-access-token", "grpc-internal-authorization",
	} {
		value := editor
		if strings.HasSuffix(name, "-bin") {
			value = "AAAA"
		}
		all = append(all, refused("nothing but "+name, codes.Unauthenticated, noToken, field{name, value}))
	}
	for _, name := range []string{"x-user", "x-roles", "grpc-metadata-authorization", "grpc-metadata-user-authorization", "x-http-method-override"} {
		all = append(all, refused("a reader with "+name, codes.PermissionDenied, "editor", field{"authorization", reader}, field{name, editor}))
	}
	for _, path := range []string{
		"event.v1.EventService/CreateEvent", "/" + createEvent, "/event.v1.EventService//CreateEvent", createEvent + "/", "/./event.v1.EventService/CreateEvent",
		"/x/.." + createEvent, "/event.v1.EventService/%43reateEvent", "/event.v1.EventService%2fCreateEvent", "/EVENT.v1.EventService/CreateEvent",
		"/event.v1.EventService/createEvent", createEvent + "?x=y", "/grpc.health.v1.Health/.." + createEvent, "/grpc.health.v1.Health/Check" + createEvent, "*", "/",
	} {
		all = append(all,
			grpcTrick{"path " + path, grpcHead(path, good), http.StatusOK, int(codes.Unimplemented), ""},
			grpcTrick{"path without a token " + path, grpcHead(path), http.StatusOK, int(codes.Unimplemented), ""})
	}
	another := func(name string, status, code int, change field, more ...field) grpcTrick {
		fields := grpcHead(createEvent, more...)
		for i := range fields {
			if fields[i].name == change.name {
				fields[i].value = change.value
			}
		}
		return grpcTrick{name, fields, status, code, ""}
	}
	return append(all,
		another("by GET", http.StatusMethodNotAllowed, int(codes.Internal), field{":method", "GET"}, good),
		another("by CONNECT", http.StatusMethodNotAllowed, int(codes.Internal), field{":method", "CONNECT"}, good),
		another("as JSON", http.StatusUnsupportedMediaType, int(codes.InvalidArgument), field{"content-type", "application/json"}, good),
		grpcTrick{"metadata too long", grpcHead(createEvent, good, field{"x-long", strings.Repeat("x", 128<<10)}), 0, -1, ""},
		grpcTrick{"a name in capitals", grpcHead(createEvent, field{"Authorization", editor}), 0, -1, ""},
		grpcTrick{"two paths", grpcHead(createEvent, field{":path", "/grpc.health.v1.Health/Check"}, good), 0, -1, ""})
}
