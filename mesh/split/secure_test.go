package split_test

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls/authority"
	"eventprospect/mesh/split"
)

// refusals are what the splitter tells of those whom it refuses.
type refusals struct {
	mu  sync.Mutex
	all []string
}

func (r *refusals) add(_ net.Conn, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, err.Error())
}

func (r *refusals) list() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// inSecureWorld is inWorld with a splitter that speaks TLS, of HTTP/2 and HTTP/1.1.
func inSecureWorld(t *testing.T, limits split.Limits, test func(*testing.T, *world, *tls.Config, *refusals)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ca, refused := meshtest.NewAuthority(t), &refusals{}
		config := &tls.Config{
			Certificates: []tls.Certificate{ca.Certificate(authority.Leaf{Names: []string{"event"}})}, NextProtos: []string{"h2", "http/1.1"},
		}
		w := &world{port: newPort(), http2: make(chan net.Conn, 20), other: make(chan net.Conn, 20), ended: make(chan error, 1)}
		w.Splitter = split.NewSecure(w.port, limits, config, refused.add)
		go func() { w.ended <- w.Serve() }()
		go accept(w.HTTP2(), w.http2)
		go accept(w.Other(), w.other)
		test(t, w, &tls.Config{RootCAs: ca.Pool(), ServerName: "event"}, refused)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := <-w.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestTheProtocolDecides(t *testing.T) {
	t.Parallel()
	inSecureWorld(t, limits, func(t *testing.T, w *world, config *tls.Config, _ *refusals) {
		for _, c := range []struct {
			offered []string
			taken   chan net.Conn
		}{{[]string{"h2"}, w.http2}, {[]string{"http/1.1"}, w.other}, {nil, w.other}} {
			config.NextProtos = c.offered
			client := tls.Client(w.port.dial(), config)
			go func() {
				_, _ = io.WriteString(client, "hello")
				_ = client.Close()
			}()
			conn := <-c.taken
			if secure, ok := conn.(*tls.Conn); !ok || !secure.ConnectionState().HandshakeComplete {
				t.Errorf("%q: the server was given a %T", c.offered, conn)
			}
			time.Sleep(2 * limits.Patience) // that is the splitter's patience, and none of the server's
			if got := readAll(t, conn); got != "hello" {
				t.Errorf("%q: the server read %q", c.offered, got)
			}
		}
	})
}

func TestWhoComesToNoHandshakeIsClosedInTime(t *testing.T) {
	t.Parallel()
	inSecureWorld(t, limits, func(t *testing.T, w *world, _ *tls.Config, refused *refusals) {
		client, began := w.port.dial(), time.Now()
		mustBeClosed(t, client)
		if took := time.Since(began); took != limits.Patience {
			t.Errorf("closed after %v", took)
		}
		w.mustHaveTakenNothing(t)
		if got := refused.list(); len(got) != 1 || !strings.Contains(got[0], "deadline") {
			t.Errorf("said of it: %q", got)
		}
	})
}

func TestWhoOnlyLooksIsNotSpokenOf(t *testing.T) {
	t.Parallel()
	inSecureWorld(t, limits, func(t *testing.T, w *world, _ *tls.Config, refused *refusals) {
		_ = w.port.dial().Close()
		w.mustHaveTakenNothing(t)
		first := w.port.dial()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		mustBeClosed(t, first)
		synctest.Wait()
		if got := refused.list(); len(got) > 0 {
			t.Errorf("said: %q", got)
		}
	})
}

func TestPlaintextIsRefused(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n": "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
		preface:                  "",
	} {
		inSecureWorld(t, limits, func(t *testing.T, w *world, _ *tls.Config, refused *refusals) {
			client := w.port.dial()
			go func() { _, _ = io.WriteString(client, sent) }()
			got, err := io.ReadAll(client)
			// TLS sends an alert first, which a client that speaks none can't read.
			if at := strings.Index(string(got), "HTTP/1.0"); err != nil || (at >= 0) != (want != "") || !strings.HasSuffix(string(got), want) {
				t.Errorf("%q is answered by %q, %v", sent, got, err)
			}
			w.mustHaveTakenNothing(t)
			if said := refused.list(); len(said) != 1 || !strings.Contains(said[0], "does not look like a TLS handshake") {
				t.Errorf("said of it: %q", said)
			}
		})
	}
}
