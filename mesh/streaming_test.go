package mesh

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are in memory, so that time is that of synctest.
type pipes struct {
	come  chan net.Conn
	ended chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.come:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error { close(p.ended); return nil }

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// serveStreams serves a handler to one client for the time of a test, which is that of synctest: channels between the two must
// be made in the test.
func serveStreams(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, server *http.Server, client net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		server, ended := newStreamingServer(handler), make(chan error, 1)
		go func() { ended <- server.Serve(patient{listener}) }()
		client, conn := net.Pipe()
		listener.come <- conn
		test(t, server, client)
		_ = client.Close()
		if err := stopHTTP(t.Context(), server); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

func ask(t *testing.T, client net.Conn, accept string) *bufio.Reader {
	t.Helper()
	if _, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\nAccept: "+accept+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(client)
}

func TestAnAnswerMayGoOnForHours(t *testing.T) {
	t.Parallel()
	for _, accept := range []string{"text/event-stream", "text/plain"} {
		serveStreams(t, func(w http.ResponseWriter, r *http.Request) {
			for range 5 {
				select {
				case <-time.After(time.Hour):
				case <-r.Context().Done():
					t.Errorf("%s: the request ended", accept)
				}
				_, _ = io.WriteString(w, "an hour\n")
				_ = http.NewResponseController(w).Flush()
			}
		}, func(t *testing.T, _ *http.Server, client net.Conn) {
			response, err := http.ReadResponse(ask(t, client, accept), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			if text, err := io.ReadAll(response.Body); err != nil || len(text) != 5*len("an hour\n") {
				t.Errorf("%s: %q, %v", accept, text, err)
			}
		})
	}
}

func TestAClientThatTakesNothingIsLeft(t *testing.T) {
	t.Parallel()
	var ended chan error
	serveStreams(t, func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		_, err := w.Write(make([]byte, 1<<20))
		if took := time.Since(began); took != stall {
			t.Errorf("left after %v", took)
		}
		ended <- err
	}, func(t *testing.T, _ *http.Server, client net.Conn) {
		ended = make(chan error, 1)
		ask(t, client, "*/*")
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("written: %v", err)
		}
	})
}

// A body is read in a bounded time, as before: only what has none may take long.
func TestABodyThatNeverComesIsGivenUp(t *testing.T) {
	t.Parallel()
	var ended chan error
	serveStreams(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		ended <- err
	}, func(t *testing.T, _ *http.Server, client net.Conn) {
		ended = make(chan error, 1)
		go func() { _, _ = io.Copy(io.Discard, client) }()
		_, _ = io.WriteString(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12")
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
	})
}

// At a stop an answer without end is over at once; any other may be finished.
func TestAStopEndsStreamsAlone(t *testing.T) {
	t.Parallel()
	for accept, endless := range map[string]bool{"text/event-stream": true, "text/html, text/event-stream;q=0.5": true, "text/html": false} {
		var began, release chan struct{}
		var cause error
		serveStreams(t, func(_ http.ResponseWriter, r *http.Request) {
			close(began)
			select {
			case <-r.Context().Done():
			case <-release:
			}
			cause = r.Context().Err()
		}, func(t *testing.T, server *http.Server, client net.Conn) {
			began, release = make(chan struct{}), make(chan struct{})
			reader := ask(t, client, accept)
			<-began
			stopped := make(chan error, 1)
			go func() { stopped <- server.Shutdown(t.Context()) }()
			synctest.Wait()
			close(release)
			if _, err := reader.ReadString('\n'); err != nil {
				t.Errorf("%s: no answer: %v", accept, err)
			}
			_, _ = io.Copy(io.Discard, reader)
			if err := <-stopped; err != nil {
				t.Error(err)
			}
			if got := errors.Is(cause, context.Canceled); got != endless {
				t.Errorf("%s: the request's context has ended: %v", accept, got)
			}
		})
	}
}
