package app_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"eventprospect/gateway/app"
	"eventprospect/gateway/internal/edgetest"
	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/meshtest/attack"
	"eventprospect/mesh/rpc"
)

// leastAttacks is how many there must be: a table that came out empty would pass.
const leastAttacks = 40

// target is a gateway with an Event service behind it, and what both wrote into their logs.
type target struct {
	issuer         *meshtest.Issuer
	gateway, event string // their addresses
	events         *edgetest.Events
	log            *lockedBuffer
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newTarget(t *testing.T) *target {
	t.Helper()
	w := &target{issuer: meshtest.NewIssuer(t), events: &edgetest.Events{}, log: &lockedBuffer{}}
	registry := meshtest.Run(t, "registry", meshtest.Config(w.issuer, "", "registry-service"),
		serve(func(r grpc.ServiceRegistrar) { registryv1.RegisterRegistryServiceServer(r, edgetest.NewRegistry()) }))
	event := meshtest.Run(t, "event", meshtest.Config(w.issuer, registry.Address, "event-service"),
		serve(func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, w.events) }), mesh.WithLog(w.log))
	meshtest.Run(t, "prospect", meshtest.Config(w.issuer, registry.Address, "prospect-service"),
		serve(func(r grpc.ServiceRegistrar) { prospectv1.RegisterProspectServiceServer(r, edgetest.Prospects{}) }))
	cfg := app.Default()
	cfg.Config = meshtest.Config(w.issuer, registry.Address, "gateway-service")
	gateway := meshtest.Run(t, "gateway", cfg, app.Bind, mesh.WithLog(w.log))
	awaitReady(t, gateway.Admin)
	awaitReady(t, event.Admin)
	w.gateway, w.event = gateway.Address, event.Address
	return w
}

// mustBeUnreached fails if any call has got through to the service.
func (w *target) mustBeUnreached(t *testing.T, after string) {
	t.Helper()
	if md, request := w.events.Seen(); request != nil {
		t.Fatalf("%s: the service was reached: %v %v", after, md, request)
	}
}

// audited counts the records of the audit with this code.
func (w *target) audited(code string) int {
	n := 0
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, `"msg":"audit"`) && strings.Contains(line, `"code":"`+code+`"`) {
			n++
		}
	}
	return n
}

func TestAttacksAreRefusedAtBothDoors(t *testing.T) {
	t.Parallel()
	w := newTarget(t)
	attacks := attack.Table(t, w.issuer)
	if len(attacks) < leastAttacks {
		t.Errorf("there are %d attacks", len(attacks))
	}
	conn := meshtest.Dial(t, w.event)
	for _, a := range attacks {
		if problem := w.overREST(t, a); problem != "" {
			t.Errorf("REST: %s: %s", a.Name, problem)
		}
		if problem := overGRPC(t, conn, a); problem != "" {
			t.Errorf("gRPC: %s: %s", a.Name, problem)
		}
		w.mustBeUnreached(t, a.Name)
	}
	if got := w.audited("UNAUTHENTICATED"); got != 2*len(attacks) {
		t.Errorf("%d refusals are written down, want %d", got, 2*len(attacks))
	}
	t.Logf("%d attacks over REST and %d over gRPC, %d refusals written down", len(attacks), len(attacks), w.audited("UNAUTHENTICATED"))
}

// overREST tells what is wrong with the answer to an attack over REST.
func (w *target) overREST(t *testing.T, a attack.Attack) string {
	t.Helper()
	got := sendHTTP1(t, w.gateway, post("/v1/events", "Authorization: "+a.Header))
	var answer struct{ Detail, Reason string }
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil {
		return err.Error() + ": " + got.body
	}
	want := a.Reason
	if a.OtherScheme {
		want = "a bearer token is required"
	}
	if got.status != http.StatusUnauthorized || answer.Reason != "UNAUTHENTICATED" || !strings.Contains(answer.Detail, want) {
		return got.body + ", want: " + want
	}
	return ""
}

// overGRPC tells what is wrong with the answer to an attack over gRPC.
func overGRPC(t *testing.T, conn *grpc.ClientConn, a attack.Attack) string {
	t.Helper()
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", a.Header)
	_, err := eventv1.NewEventServiceClient(conn).CreateEvent(ctx, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "Fair"}})
	if !fault.Is(err, a.Kind) || rpc.ToStatus(err).Code() != codes.Unauthenticated || !strings.Contains(err.Error(), a.Reason) {
		if err == nil {
			return "it is accepted"
		}
		return err.Error() + ", want: " + a.Reason
	}
	return ""
}

// post is a request to create an event, in HTTP/1.1, with more lines in its head.
func post(path string, lines ...string) string {
	return request("POST", path, `{"name":"Fair"}`, lines...)
}

func request(method, target, body string, lines ...string) string {
	head := method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	if body != "" {
		head += "Content-Type: application/json\r\nContent-Length: " + lengthOf(body) + "\r\n"
	}
	for _, line := range lines {
		head += line + "\r\n"
	}
	return head + "\r\n" + body
}
