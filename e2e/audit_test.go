package e2e_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	eventv1 "eventprospect/gen/event/v1"
	prospectv1 "eventprospect/gen/prospect/v1"

	"eventprospect/e2e/client"
)

// record is what the audit says of one call.
type record struct {
	Method, Subject, Client, User, Peer, Resource, Code string
	ForwardedFor                                        string `json:"forwarded_for"`
}

// audited gives the audit's records of one trace, out of the logs of all processes; empty: of all traces.
func (w *world) audited(t *testing.T, trace string) []record {
	t.Helper()
	var all []record
	for line := range strings.Lines(w.log.String()) {
		if !strings.Contains(line, `"msg":"audit"`) {
			continue
		}
		var one struct {
			Audit   record
			TraceID string `json:"trace_id"`
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if trace == "" || one.TraceID == trace {
			all = append(all, one.Audit)
		}
	}
	return all
}

// action is what somebody may do with an event or a prospect, at either door. The resource is named %s.
type action struct {
	rpc                  string // "event.v1.EventService/CreateEvent"
	verb, path, body     string
	grpc                 func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error)
	creates, onlyReading bool
}

// actions are those on one kind of resource, in an order that works.
func actions() map[string][]action {
	events := func(conn *grpc.ClientConn) eventv1.EventServiceClient { return eventv1.NewEventServiceClient(conn) }
	prospects := func(conn *grpc.ClientConn) prospectv1.ProspectServiceClient {
		return prospectv1.NewProspectServiceClient(conn)
	}
	const event, prospect = "event.v1.EventService/", "prospect.v1.ProspectService/"
	return map[string][]action{
		"events": {
			{
				rpc: event + "CreateEvent", verb: "POST", path: "/events", body: `{"name":"Fair"}`, creates: true,
				grpc: func(ctx context.Context, conn *grpc.ClientConn, _ string) (string, error) {
					made, err := events(conn).CreateEvent(ctx, &eventv1.CreateEventRequest{Event: &eventv1.Event{Name: "Fair"}})
					return made.GetId(), err
				},
			},
			{
				rpc: event + "UpdateEvent", verb: "PATCH", path: "/events/%s", body: `{"name":"Job fair"}`,
				grpc: func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error) {
					_, err := events(conn).UpdateEvent(ctx, &eventv1.UpdateEventRequest{Event: &eventv1.Event{Id: id, Name: "Job fair"}})
					return id, err
				},
			},
			{
				rpc: event + "GetEvent", verb: "GET", path: "/events/%s", onlyReading: true,
				grpc: func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error) {
					_, err := events(conn).GetEvent(ctx, &eventv1.GetEventRequest{Id: id})
					return id, err
				},
			},
			{
				rpc: event + "DeleteEvent", verb: "DELETE", path: "/events/%s",
				grpc: func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error) {
					_, err := events(conn).DeleteEvent(ctx, &eventv1.DeleteEventRequest{Id: id})
					return id, err
				},
			},
		},
		"prospects": {
			{
				rpc: prospect + "CreateProspect", verb: "POST", path: "/prospects", body: `{"firstName":"Grace","lastName":"Hopper"}`, creates: true,
				grpc: func(ctx context.Context, conn *grpc.ClientConn, _ string) (string, error) {
					grace := &prospectv1.Prospect{FirstName: "Grace", LastName: "Hopper"}
					made, err := prospects(conn).CreateProspect(ctx, &prospectv1.CreateProspectRequest{Prospect: grace})
					return made.GetId(), err
				},
			},
			{
				rpc: prospect + "UpdateProspect", verb: "PATCH", path: "/prospects/%s", body: `{"lastName":"Murray"}`,
				grpc: func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error) {
					grace := &prospectv1.Prospect{Id: id, LastName: "Murray"}
					_, err := prospects(conn).UpdateProspect(ctx, &prospectv1.UpdateProspectRequest{Prospect: grace})
					return id, err
				},
			},
			{
				rpc: prospect + "ListProspects", verb: "GET", path: "/v1/prospects", onlyReading: true,
				grpc: func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error) {
					_, err := prospects(conn).ListProspects(ctx, &prospectv1.ListProspectsRequest{})
					return id, err
				},
			},
			{
				rpc: prospect + "DeleteProspect", verb: "DELETE", path: "/prospects/%s",
				grpc: func(ctx context.Context, conn *grpc.ClientConn, id string) (string, error) {
					_, err := prospects(conn).DeleteProspect(ctx, &prospectv1.DeleteProspectRequest{Id: id})
					return id, err
				},
			},
		},
	}
}

// TestEveryChangeAndEveryRefusalIsAudited does all that changes something through both doors, as one who may, one who may not
// and nobody, and looks for the record of each.
func TestEveryChangeAndEveryRefusalIsAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	checked := 0
	for _, door := range []string{"REST", "gRPC"} {
		for _, steps := range actions() {
			id := ""
			for _, a := range steps {
				for user, code := range map[string]string{client.Reader: "PERMISSION_DENIED", client.Nobody: "UNAUTHENTICATED", client.Forger: "UNAUTHENTICATED"} {
					if a.onlyReading && user == client.Reader {
						code = "OK"
					}
					w.check(t, door, a, user, id, code)
					checked++
				}
				made := w.check(t, door, a, client.Editor, id, "OK")
				if a.creates {
					id = made
				}
				checked++
			}
			w.check(t, door, steps[len(steps)-1], client.Editor, id, "NOT_FOUND")
			checked++
		}
	}
	w.checkJoins(t)
	t.Logf("%d calls checked, %d records in all", checked, len(w.audited(t, "")))
}

// check does something at a door and compares what the audit says of it. It returns the id of what was made.
func (w *world) check(t *testing.T, door string, a action, user, id, code string) string {
	t.Helper()
	trace := strings.ReplaceAll(uuid.NewString(), "-", "")
	made := w.act(t, door, a, user, id, trace, code)
	got := w.audited(t, trace)
	if a.onlyReading {
		if len(got) > 0 {
			t.Errorf("%s, %s by %s: there are records of reading: %v", door, a.rpc, user, got)
		}
		return made
	}
	want := record{Method: "/" + a.rpc, Resource: id, Code: code}
	if a.creates {
		want.Resource = made
	}
	if code != "UNAUTHENTICATED" {
		want.Subject, want.Client = w.subject(t, user), "gateway-cli"
	}
	for i := range got {
		checkHere(t, &got[i].Peer)
		// Whom the gateway refuses it knows itself.
		if door == "REST" && code != "UNAUTHENTICATED" {
			checkHere(t, &got[i].ForwardedFor)
		}
		if door == "REST" && code == "UNAUTHENTICATED" {
			want.Resource = ""
		}
	}
	if diff := cmp.Diff([]record{want}, got); diff != "" {
		t.Errorf("%s, %s by %s: -want +got:\n%s", door, a.rpc, user, diff)
	}
	return made
}

// checkHere wants an address of this machine, and takes it away.
func checkHere(t *testing.T, address *string) {
	t.Helper()
	if !net.ParseIP(*address).IsLoopback() {
		t.Errorf("the address is %q", *address)
	}
	*address = ""
}

// act does something, in a trace, and wants this code.
func (w *world) act(t *testing.T, door string, a action, user, id, trace, code string) string {
	t.Helper()
	parent := "00-" + trace + "-00f067aa0ba902b7-01"
	if door == "REST" {
		return w.actOverREST(t, a, user, id, parent, code)
	}
	contract, _, _ := strings.Cut(a.rpc, "Service/")
	conn, err := w.Conn(contract[:strings.LastIndex(contract, ".")])
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := w.As(metadata.AppendToOutgoingContext(t.Context(), "traceparent", parent), user)
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.grpc(ctx, conn, id)
	if got := status.Code(err).String(); !strings.EqualFold(got, strings.ReplaceAll(code, "_", "")) {
		t.Fatalf("%s by %s: %v, want %s", a.rpc, user, err, code)
	}
	return made
}

func (w *world) actOverREST(t *testing.T, a action, user, id, parent, code string) string {
	t.Helper()
	path := a.path
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, id)
	}
	req, err := w.Request(t.Context(), a.verb, path, a.body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Traceparent", parent)
	req.Header.Set("X-Forwarded-For", "192.0.2.66") // a lie
	resp, err := w.Do(req, user)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"PERMISSION_DENIED": http.StatusForbidden, "UNAUTHENTICATED": http.StatusUnauthorized, "NOT_FOUND": http.StatusNotFound}[code]
	if want != 0 && resp.StatusCode != want || want == 0 && resp.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s by %s: %s %s, want %s", a.rpc, user, resp.Status, body, code)
	}
	var answer struct{ ID string }
	_ = json.Unmarshal(body, &answer) // not every answer has one
	return answer.ID
}

// subject is the id that the issuer gave a user.
func (w *world) subject(t *testing.T, user string) string {
	t.Helper()
	token, err := w.Token(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Sub string }
	if err := json.Unmarshal(claims, &c); err != nil || c.Sub == "" {
		t.Fatalf("no subject: %v", err)
	}
	return c.Sub
}

// checkJoins wants a record of each service that joined the registry.
func (w *world) checkJoins(t *testing.T) {
	t.Helper()
	joined := map[string]bool{}
	for _, r := range w.audited(t, "") {
		if r.Method == "/registry.v1.RegistryService/Join" && r.Code == "OK" && r.Resource != "" {
			joined[r.Client] = true
		}
	}
	if !joined["event-service"] || !joined["prospect-service"] {
		t.Errorf("joined according to the audit: %v", joined)
	}
}
