package mesh_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"

	eventv1 "eventprospect/gen/event/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

// nothing registers no service.
func nothing(grpc.ServiceRegistrar) {}

func serveNothing(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeGRPC(nothing)
}

// slow is an Event service whose calls last until they are released or cut off.
type slow struct {
	eventv1.UnimplementedEventServiceServer
	started, release, cut chan struct{}
}

func newSlow() *slow {
	return &slow{started: make(chan struct{}), release: make(chan struct{}), cut: make(chan struct{})}
}

func (s *slow) GetEvent(ctx context.Context, req *eventv1.GetEventRequest) (*eventv1.Event, error) {
	close(s.started)
	select {
	case <-s.release:
		return &eventv1.Event{Id: req.GetId()}, nil
	case <-ctx.Done():
		close(s.cut)
		return nil, ctx.Err()
	}
}

func (s *slow) bind(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeGRPC(func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, s) })
}

// callSlow runs a process and calls it; it returns when the call is under way.
func callSlow(t *testing.T, s *slow, stop time.Duration) (*meshtest.Process, <-chan error) {
	t.Helper()
	issuer := meshtest.NewIssuer(t)
	cfg := meshtest.Config(issuer, "", "event")
	cfg.Stop = stop
	process := meshtest.Run(t, "event", cfg, s.bind)
	client := eventv1.NewEventServiceClient(meshtest.Dial(t, process.Address))
	answer := make(chan error, 1)
	go func() {
		_, err := client.GetEvent(meshtest.As(t, issuer.Token("reader")), &eventv1.GetEventRequest{Id: "x"}, grpc.WaitForReady(false))
		answer <- err
	}()
	<-s.started
	return process, answer
}

func TestCallsUnderWayAreFinished(t *testing.T) {
	t.Parallel()
	s := newSlow()
	process, answer := callSlow(t, s, meshtest.Patience)
	stopped := make(chan error, 1)
	go func() { stopped <- process.Stop() }()
	eventually(t, "new connections are refused", func() bool { return !reachable(process.Address) })
	select {
	case err := <-answer:
		t.Fatalf("the call ended when the stop began: %v", err)
	case err := <-stopped:
		t.Fatalf("the process ended before the call: %v", err)
	default:
	}
	close(s.release)
	if err := <-answer; err != nil {
		t.Errorf("the call: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("the process: %v", err)
	}
}

func reachable(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestCallsThatTakeTooLongAreCutOff(t *testing.T) {
	t.Parallel()
	s := newSlow()
	process, answer := callSlow(t, s, 20*time.Millisecond)
	if err := process.Stop(); err != nil {
		t.Errorf("the process: %v", err)
	}
	<-s.cut
	if err := <-answer; !fault.Is(err, fault.Unavailable) {
		t.Errorf("the call: %v", err)
	}
}

func TestHealthIsServed(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "event", settings(t), serveNothing)
	answer, err := healthv1.NewHealthClient(meshtest.Dial(t, process.Address)).Check(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestReflectionIsASetting(t *testing.T) {
	t.Parallel()
	for name, offered := range map[string]bool{"on": true, "off": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := settings(t)
			cfg.Reflection = offered
			process := meshtest.Run(t, "event", cfg, serveNothing)
			err := listServices(t, process.Address)
			if offered && err != nil {
				t.Error(err)
			}
			if !offered && !fault.Is(err, fault.Unimplemented) {
				t.Errorf("got %v, want Unimplemented", err)
			}
		})
	}
}

// listServices asks which services there are.
func listServices(t *testing.T, address string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, err := reflectionv1.NewServerReflectionClient(meshtest.Dial(t, address)).ServerReflectionInfo(ctx)
	if err != nil {
		return err
	}
	list := &reflectionv1.ServerReflectionRequest_ListServices{}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: list}); err != nil {
		t.Log(err)
	}
	_, err = stream.Recv()
	return err
}

func TestAServiceWithoutRulesIsNotServed(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), t, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		return app.ServeGRPC(func(r grpc.ServiceRegistrar) {
			r.RegisterService(&grpc.ServiceDesc{ServiceName: "a.B", Methods: []grpc.MethodDesc{{MethodName: "C"}}}, nil)
		})
	})
	if err == nil {
		t.Error("served")
	}
}

func TestServeHTTPSpeaksBothVersions(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "gateway", settings(t), func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		app.ServeHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
		return nil
	})
	for want, enable := range map[string]func(*http.Protocols){
		"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
		"HTTP/2.0": func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
	} {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		t.Cleanup(transport.CloseIdleConnections)
		enable(transport.Protocols)
		if _, got := get(t, &http.Client{Transport: transport}, "http://"+process.Address); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func get(t *testing.T, client *http.Client, url string) (code int, body string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestConnectNeedsARegistry(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), t, func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		_, err := app.Connect("prospect")
		return err
	})
	if err == nil || err.Error() != "connect to prospect: no registry is configured" {
		t.Errorf("error is %v", err)
	}
}
