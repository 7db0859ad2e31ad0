package cutter

import (
	"io"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 20 * time.Second
	// silence is how long one listens to nobody: what comes later than that would be missed, never invented.
	silence = 50 * time.Millisecond
)

// newLine makes a line to a server that sends back what it gets.
func newLine(t *testing.T) *Line {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(conn, conn); conn.Close() }()
		}
	}()
	l, err := Open(server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func dial(t *testing.T, l *Line) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func say(t *testing.T, conn net.Conn, words string) {
	t.Helper()
	if _, err := conn.Write([]byte(words)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, conn net.Conn, words string) {
	t.Helper()
	heard := make([]byte, len(words))
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(conn, heard); err != nil || string(heard) != words {
		t.Fatalf("heard %q, error %v, want %q", heard, err, words)
	}
}

func hearNothing(t *testing.T, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(silence))
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !isTimeout(err) {
		t.Fatalf("heard %d bytes, error %v, want nothing", n, err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // it is the connection's own
	return ok && timeout.Timeout()
}

func TestWhatIsHeldUpArrivesWhenTheLineIsMended(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	conn := dial(t, l)
	say(t, conn, "before")
	hear(t, conn, "before")
	l.Cut()
	say(t, conn, "held")
	hearNothing(t, conn)
	fresh := dial(t, l)
	say(t, fresh, "new")
	hearNothing(t, fresh)
	l.Mend()
	hear(t, conn, "held")
	hear(t, fresh, "new")
}

func TestWhatIsHeldUpIsLostWhenTheLineIsReset(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	conn := dial(t, l)
	say(t, conn, "before")
	hear(t, conn, "before")
	l.Cut()
	say(t, conn, "held")
	l.Reset()
	l.Mend()
	conn.SetReadDeadline(time.Now().Add(patience))
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil || isTimeout(err) {
		t.Errorf("heard %d bytes, error %v, want a broken connection", n, err)
	}
	again := dial(t, l)
	say(t, again, "after")
	hear(t, again, "after")
}

func TestAServerThatIsAwayEndsTheConnection(t *testing.T) {
	t.Parallel()
	l, err := Open("127.0.0.1:1") // nobody is there
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Address())
	if err != nil {
		return // it was sooner
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("error %v, want the end", err)
	}
}

func TestCloseEndsWhatIsHeldUp(t *testing.T) {
	t.Parallel()
	l := newLine(t)
	conn := dial(t, l)
	say(t, conn, "before")
	hear(t, conn, "before")
	l.Cut()
	say(t, conn, "held")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
