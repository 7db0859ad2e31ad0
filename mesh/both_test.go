package mesh_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	eventv1 "eventprospect/gen/event/v1"
	registryv1 "eventprospect/gen/registry/v1"
	"eventprospect/mesh"
	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
)

// tellProto answers with the version of HTTP that it was asked in.
func tellProto(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }

func serveBothNothing(_ context.Context, app *mesh.App, _ mesh.Config) error {
	return app.ServeBoth(nothing, http.HandlerFunc(tellProto))
}

func TestOnePortServesBothAtOnce(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "registry", settings(t), serveBothNothing)
	health, client := healthv1.NewHealthClient(meshtest.Dial(t, process.Address)), oneClient(t)
	var calling sync.WaitGroup
	for range 8 {
		calling.Go(func() {
			for range 50 {
				if answer, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
					t.Errorf("gRPC: %v, %v", answer, err)
				}
			}
		})
		calling.Go(func() {
			for range 50 {
				response, err := client.Get("http://" + process.Address)
				if err != nil {
					t.Errorf("HTTP: %v", err)
					continue
				}
				if text, err := io.ReadAll(response.Body); err != nil || string(text) != "HTTP/1.1" {
					t.Errorf("HTTP: %q, %v", text, err)
				}
				_ = response.Body.Close()
			}
		})
	}
	calling.Wait()
}

func oneClient(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestNeitherIsKeptWaitingByASilentConnection(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "registry", settings(t), serveBothNothing)
	var silent []net.Conn
	for range 20 {
		conn, err := net.Dial("tcp", process.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "PRI * HTTP") // maybe some day
		silent = append(silent, conn)
	}
	if _, got := get(t, oneClient(t), "http://"+process.Address); got != "HTTP/1.1" {
		t.Errorf("HTTP: %s", got)
	}
	if _, err := healthv1.NewHealthClient(meshtest.Dial(t, process.Address)).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Errorf("gRPC: %v", err)
	}
	if err := process.Stop(); err != nil {
		t.Errorf("the process: %v", err)
	}
	for _, conn := range silent {
		_ = conn.SetReadDeadline(time.Now().Add(meshtest.Patience))
		if n, err := conn.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("still open after the stop: %d bytes, %v", n, err)
		}
	}
}

// endless is a registry whose Watch goes on until the process stops, and a page that goes on until its request ends.
type endless struct {
	registryv1.UnimplementedRegistryServiceServer
	over chan struct{}
}

func (e *endless) Watch(_ *registryv1.WatchRequest, stream registryv1.RegistryService_WatchServer) error {
	if err := stream.Send(&registryv1.WatchResponse{Revision: 1}); err != nil {
		return err
	}
	select {
	case <-e.over:
		return fault.New(fault.Unavailable, "the registry stops")
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

func (e *endless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: hello\n\n")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	_, _ = io.WriteString(w, "data: bye\n\n")
}

func (e *endless) bind(_ context.Context, app *mesh.App, _ mesh.Config) error {
	err := app.ServeBoth(func(r grpc.ServiceRegistrar) { registryv1.RegisterRegistryServiceServer(r, e) }, e)
	app.OnClose(func() error { close(e.over); return nil })
	return err
}

func TestAStopEndsStreamsOfBothKinds(t *testing.T) {
	t.Parallel()
	issuer, e := meshtest.NewIssuer(t), &endless{over: make(chan struct{})}
	cfg := meshtest.Config(issuer, "", "registry")
	cfg.Stop = 2 * meshtest.Patience // longer than the test has: nothing may wait for the blunt end
	process := meshtest.Run(t, "registry", cfg, e.bind)

	stream, err := registryv1.NewRegistryServiceClient(meshtest.Dial(t, process.Address)).
		Watch(meshtest.As(t, issuer.Token("reader")), &registryv1.WatchRequest{Service: "event"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	lines, body := events(t, process.Address)
	defer func() { _ = body.Close() }()

	stopped := make(chan error, 1)
	go func() { stopped <- process.Stop() }()
	if _, err := stream.Recv(); !fault.Is(err, fault.Unavailable) || err.Error() != "the registry stops" {
		t.Errorf("the gRPC stream ended with %v", err)
	}
	if rest, err := io.ReadAll(lines); err != nil || string(rest) != "\ndata: bye\n\n" {
		t.Errorf("the HTTP stream ended with %q, %v", rest, err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("the process: %v", err)
	}
}

// events opens a stream of server-sent events, and reads its first line.
func events(t *testing.T, address string) (*bufio.Reader, io.Closer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	response, err := oneClient(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(response.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "data: hello\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return lines, response.Body
}

// bindBoth serves a call and a page that last until they are released or cut off.
func bindBoth(call, page *slow) mesh.Bind[mesh.Config] {
	return func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		return app.ServeBoth(
			func(r grpc.ServiceRegistrar) { eventv1.RegisterEventServiceServer(r, call) },
			http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := page.GetEvent(r.Context(), &eventv1.GetEventRequest{}); err == nil {
					_, _ = io.WriteString(w, "done")
				}
			}))
	}
}

// underWay is a process that is called both ways. Each answer tells what went wrong.
type underWay struct {
	*meshtest.Process
	conn            *grpc.ClientConn
	called, fetched chan error
}

// callBoth runs a process and calls it; it returns when both calls are under way.
func callBoth(t *testing.T, call, page *slow, stop time.Duration) underWay {
	t.Helper()
	issuer := meshtest.NewIssuer(t)
	cfg := meshtest.Config(issuer, "", "event")
	cfg.Stop = stop
	process := meshtest.Run(t, "event", cfg, bindBoth(call, page))
	u := underWay{process, meshtest.Dial(t, process.Address), make(chan error, 1), make(chan error, 1)}
	go func() {
		_, err := eventv1.NewEventServiceClient(u.conn).GetEvent(meshtest.As(t, issuer.Token("reader")), &eventv1.GetEventRequest{Id: "x"}, grpc.WaitForReady(false))
		u.called <- err
	}()
	web := oneClient(t)
	go func() {
		response, err := web.Get("http://" + process.Address)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		u.fetched <- err
	}()
	<-call.started
	<-page.started
	return u
}

func TestBothFinishWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	call, page := newSlow(), newSlow()
	u := callBoth(t, call, page, meshtest.Patience)
	stopped := make(chan error, 1)
	go func() { stopped <- u.Stop() }()
	eventually(t, "new connections are refused", func() bool { return !reachable(u.Address) })
	// gRPC tells its clients to go elsewhere at once, not when the page is done.
	eventually(t, "gRPC says goodbye", func() bool { return u.conn.GetState() != connectivity.Ready })
	close(page.release)
	if err := <-u.fetched; err != nil {
		t.Errorf("the page: %v", err)
	}
	select {
	case err := <-u.called:
		t.Fatalf("the call ended before it was released: %v", err)
	case err := <-stopped:
		t.Fatalf("the process ended before the call: %v", err)
	default:
	}
	close(call.release)
	if err := <-u.called; err != nil {
		t.Errorf("the call: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("the process: %v", err)
	}
}

func TestBothCutOffWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	call, page := newSlow(), newSlow()
	u := callBoth(t, call, page, 20*time.Millisecond)
	if err := u.Stop(); err != nil {
		t.Errorf("the process: %v", err)
	}
	<-call.cut
	<-page.cut
	if err := <-u.called; !fault.Is(err, fault.Unavailable) {
		t.Errorf("the call: %v", err)
	}
	if err := <-u.fetched; err == nil {
		t.Error("the page was finished")
	}
}
