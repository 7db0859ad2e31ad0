package split_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"eventprospect/mesh/split"
)

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// limits of most tests. Time is that of synctest: patience costs none.
var limits = split.Limits{Patience: 5 * time.Second, Undecided: 10}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// port is a listener whose connections and errors are those of the test.
type port struct {
	come  chan any // net.Conn or error
	ended chan struct{}
}

func newPort() *port { return &port{come: make(chan any), ended: make(chan struct{})} }

func (p *port) Accept() (net.Conn, error) {
	select {
	case next := <-p.come:
		if conn, ok := next.(net.Conn); ok {
			return conn, nil
		}
		return nil, next.(error)
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *port) Close() error { close(p.ended); return nil }

func (*port) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8761} }

// dial gives the client's end of a new connection.
func (p *port) dial() net.Conn {
	client, server := net.Pipe()
	p.come <- server
	return client
}

// world is a splitter that serves, with what its two servers accepted.
type world struct {
	*split.Splitter
	port         *port
	http2, other chan net.Conn
	ended        chan error
}

// inWorld runs a test with a splitter that serves, and with a time of its own.
func inWorld(t *testing.T, limits split.Limits, test func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{port: newPort(), http2: make(chan net.Conn, 20), other: make(chan net.Conn, 20), ended: make(chan error, 1)}
		w.Splitter = split.New(w.port, limits)
		go func() { w.ended <- w.Serve() }()
		go accept(w.HTTP2(), w.http2)
		go accept(w.Other(), w.other)
		test(t, w)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := <-w.ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
}

func accept(from net.Listener, to chan net.Conn) {
	defer close(to)
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		to <- conn
	}
}

func TestThePrefaceDecides(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sent  string
		http2 bool
	}{
		"HTTP/2":                    {preface + "and frames", true},
		"GET":                       {"GET / HTTP/1.1\r\n\r\n", false},
		"PUT, which begins with P":  {"PUT /eureka/apps/EVENT/1 HTTP/1.1\r\n\r\n", false},
		"PRI with another version":  {"PRI * HTTP/1.1\r\n\r\n", false},
		"all but the last byte":     {preface[:len(preface)-1] + "x", false},
		"one byte that is no P":     {"\n", false},
		"TLS, which is not spoken":  {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", false},
		"zeros of about its length": {string(make([]byte, 24)), false},
	} {
		for _, chunk := range []int{1, 7, 1000} {
			inWorld(t, limits, func(t *testing.T, w *world) {
				client := w.port.dial()
				go sendInChunks(client, c.sent, chunk)
				taken := w.other
				if c.http2 {
					taken = w.http2
				}
				if got := readAll(t, <-taken); got != c.sent {
					t.Errorf("%s in chunks of %d: the server read %q", name, chunk, got)
				}
			})
		}
	}
}

func sendInChunks(client net.Conn, text string, chunk int) {
	for len(text) > 0 {
		n := min(chunk, len(text))
		_, _ = io.WriteString(client, text[:n])
		text = text[n:]
	}
	_ = client.Close()
}

func readAll(t *testing.T, conn net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(iotest.OneByteReader(conn))
	if err != nil {
		t.Error(err)
	}
	_ = conn.Close()
	return string(text)
}

// The wait of the splitter is none of the server's: what it takes has no deadline.
func TestAServerMayWaitLongForTheRest(t *testing.T) {
	t.Parallel()
	inWorld(t, limits, func(t *testing.T, w *world) {
		client := w.port.dial()
		go func() {
			_, _ = io.WriteString(client, "GET ")
			time.Sleep(time.Hour)
			sendInChunks(client, "/", 1)
		}()
		if got := readAll(t, <-w.other); got != "GET /" {
			t.Errorf("the server read %q", got)
		}
	})
}

func TestWhoNeverShowsIsClosedInTime(t *testing.T) {
	t.Parallel()
	for name, every := range map[string]time.Duration{"says nothing": time.Hour, "sends a byte each second": time.Second} {
		inWorld(t, limits, func(t *testing.T, w *world) {
			client, began, gaveUp := w.port.dial(), time.Now(), make(chan struct{})
			go func() {
				defer close(gaveUp)
				for i := range preface {
					time.Sleep(every)
					if _, err := io.WriteString(client, preface[i:i+1]); err != nil {
						return
					}
				}
			}()
			mustBeClosed(t, client)
			if took := time.Since(began); took != limits.Patience {
				t.Errorf("%s: closed after %v", name, took)
			}
			w.mustHaveTakenNothing(t)
			<-gaveUp
		})
	}
}

func TestHalfAPrefaceIsForNobody(t *testing.T) {
	t.Parallel()
	inWorld(t, limits, func(t *testing.T, w *world) {
		sendInChunks(w.port.dial(), preface[:12], 12)
		w.mustHaveTakenNothing(t)
	})
}

func (w *world) mustHaveTakenNothing(t *testing.T) {
	t.Helper()
	synctest.Wait()
	if len(w.http2)+len(w.other) != 0 {
		t.Error("a server was given the connection")
	}
}

func mustBeClosed(t *testing.T, client net.Conn) {
	t.Helper()
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read: %v", err)
	}
}

func TestPastTheBoundTheLongestUndecidedGoes(t *testing.T) {
	t.Parallel()
	inWorld(t, split.Limits{Patience: time.Hour, Undecided: 2}, func(t *testing.T, w *world) {
		first, second, third := w.port.dial(), w.port.dial(), w.port.dial()
		mustBeClosed(t, first)
		for _, client := range []net.Conn{second, third} {
			go sendInChunks(client, "x", 1)
			readAll(t, <-w.other)
		}
		// Those that are decided don't count any more.
		late := []net.Conn{w.port.dial(), w.port.dial()}
		for _, client := range late {
			go sendInChunks(client, preface, 1)
			readAll(t, <-w.http2)
		}
	})
}

func TestCloseEndsAllButWhatWasHandedOut(t *testing.T) {
	t.Parallel()
	inWorld(t, limits, func(t *testing.T, w *world) {
		talking, idle := w.port.dial(), w.port.dial()
		go func() { _, _ = io.WriteString(talking, "G") }()
		taken := <-w.other
		_, _ = taken.Read(make([]byte, 1))
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		mustBeClosed(t, idle)
		for name, listener := range map[string]net.Listener{"HTTP/2": w.HTTP2(), "other": w.Other()} {
			if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		go sendInChunks(talking, "ET", 2)
		if got := readAll(t, taken); got != "ET" {
			t.Errorf("after Close the server read %q", got)
		}
	})
}

func TestOneServerMayEndAlone(t *testing.T) {
	t.Parallel()
	inWorld(t, limits, func(t *testing.T, w *world) {
		if err := w.HTTP2().Close(); err != nil {
			t.Error(err)
		}
		client := w.port.dial()
		_, _ = io.WriteString(client, preface)
		mustBeClosed(t, client)
		go sendInChunks(w.port.dial(), "GET", 3)
		if got := readAll(t, <-w.other); got != "GET" {
			t.Errorf("the other server read %q", got)
		}
	})
}

func TestBothServersHearThatTheListenerFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, trouble := newPort(), errors.New("trouble")
		s := split.New(p, limits)
		ended := make(chan error, 1)
		go func() { ended <- s.Serve() }()
		p.come <- trouble
		if err := <-ended; !errors.Is(err, trouble) {
			t.Errorf("Serve: %v", err)
		}
		for name, listener := range map[string]net.Listener{"HTTP/2": s.HTTP2(), "other": s.Other()} {
			if _, err := listener.Accept(); !errors.Is(err, trouble) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAFailureThatPassesIsWaitedOut(t *testing.T) {
	t.Parallel()
	inWorld(t, limits, func(t *testing.T, w *world) {
		for range 20 {
			w.port.come <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		}
		go sendInChunks(w.port.dial(), "GET", 3)
		if got := readAll(t, <-w.other); got != "GET" {
			t.Errorf("the server read %q", got)
		}
	})
}

func TestTheAddressIsThePorts(t *testing.T) {
	t.Parallel()
	s := split.New(newPort(), limits)
	if s.HTTP2().Addr().String() != "127.0.0.1:8761" || s.Other().Addr().String() != "127.0.0.1:8761" {
		t.Errorf("%v, %v", s.HTTP2().Addr(), s.Other().Addr())
	}
	_ = s.Close()
}
