package split

import (
	"net"
	"sync"
)

// listener gives one server the connections that are for it.
type listener struct {
	address net.Addr
	conns   chan net.Conn
	once    sync.Once
	ended   chan struct{}
	cause   error // why Accept gives no more, once ended is closed
}

func newListener(address net.Addr) *listener {
	return &listener{address: address, conns: make(chan net.Conn), ended: make(chan struct{})}
}

// take waits until the server accepts the connection; it is false if the server accepts no more.
func (l *listener) take(conn net.Conn) bool {
	select {
	case l.conns <- conn:
		return true
	case <-l.ended:
		return false
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.ended:
		return nil, l.cause
	}
}

// Close closes this listener alone; what comes for it is closed from now on.
func (l *listener) Close() error {
	l.end(net.ErrClosed)
	return nil
}

func (l *listener) end(cause error) {
	l.once.Do(func() {
		l.cause = cause
		close(l.ended)
	})
}

func (l *listener) Addr() net.Addr { return l.address }

// replayed is a connection of which the first bytes were read already.
type replayed struct {
	net.Conn
	head []byte
}

func (r *replayed) Read(into []byte) (int, error) {
	if len(r.head) == 0 {
		return r.Conn.Read(into)
	}
	n := copy(into, r.head)
	r.head = r.head[n:]
	return n, nil
}
