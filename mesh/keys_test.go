package mesh_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

// awaitKeys waits until a process has read the issuer's keys.
func awaitKeys(t *testing.T, process *meshtest.Process) {
	t.Helper()
	for deadline := time.Now().Add(meshtest.Patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, body := get(t, http.DefaultClient, "http://"+process.Admin+"/readyz"); strings.Contains(body, `"issuer keys":"ready"`) {
			return
		}
	}
	t.Fatal("the keys are never read")
}

func TestWithoutTheIssuersKeysAProcessRunsAndIsNotReady(t *testing.T) {
	t.Parallel()
	issuer := meshtest.NewIssuer(t)
	cfg := meshtest.Config(issuer, "", "event")
	cfg.Auth.JWKSURL = "http://" + closedPort(t) + "/certs"
	process := meshtest.Run(t, "event", cfg, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		return app.ServeGRPC(func(r grpc.ServiceRegistrar) {
			eventv1.RegisterEventServiceServer(r, eventv1.UnimplementedEventServiceServer{})
		})
	})
	checkAdmin(t, process, "/readyz", http.StatusServiceUnavailable, `{"issuer keys":"not ready"}`)
	checkAdmin(t, process, "/livez", http.StatusOK, `{"process":"alive"}`)
	ctx, cancel := context.WithTimeout(meshtest.As(t, issuer.Token("reader")), 2*time.Second)
	defer cancel()
	client := eventv1.NewEventServiceClient(meshtest.Dial(t, process.Address))
	if _, err := client.GetEvent(ctx, &eventv1.GetEventRequest{Id: "x"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a token gets %v, want Unavailable", err)
	}
}

// closedPort gives the address of a port at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener := meshtest.Listen(t)
	_ = listener.Close()
	return listener.Addr().String()
}
