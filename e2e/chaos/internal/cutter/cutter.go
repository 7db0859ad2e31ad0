// Package cutter is a TCP proxy that can be cut as a network is: for a while no byte gets through, and nobody is told. What was under
// way arrives afterwards, or never.
package cutter

import (
	"errors"
	"fmt"
	"net"
	"sync"
)

// chunk is how many bytes are passed on at once.
const chunk = 64 << 10

// Line is a proxy to one server. It is safe for concurrent use.
type Line struct {
	target   string
	listener net.Listener
	serving  sync.WaitGroup

	mu     sync.Mutex
	whole  *sync.Cond // the line may not be cut any more
	cut    bool
	closed bool
	conns  map[*net.TCPConn]bool
}

// Open listens on a free port of loopback, and passes on what comes there to the target's host and port.
func Open(target string) (*Line, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Line{target: target, listener: listener, conns: map[*net.TCPConn]bool{}}
	l.whole = sync.NewCond(&l.mu)
	l.serving.Go(l.accept)
	return l, nil
}

// Address is the host and port where the line begins.
func (l *Line) Address() string { return l.listener.Addr().String() }

// Cut holds up every byte from now on. Connections stay open, and new ones can be made: nobody answers on them.
func (l *Line) Cut() { l.set(true) }

// Mend lets everything go on, beginning with what was held up.
func (l *Line) Mend() { l.set(false) }

func (l *Line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	l.whole.Broadcast()
}

// Reset breaks all connections at both ends. What is held up on them is lost.
func (l *Line) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		drop(conn)
	}
	clear(l.conns)
	l.whole.Broadcast()
}

// drop ends a connection by RST, as a peer does that knows nothing of it.
func drop(conn *net.TCPConn) {
	_ = conn.SetLinger(0) // it may be closed
	_ = conn.Close()
}

// Close ends the line and all its connections.
func (l *Line) Close() error {
	err := l.listener.Close()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.Reset()
	l.serving.Wait()
	return err
}

func (l *Line) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.serving.Go(func() {
			if client, ok := conn.(*net.TCPConn); ok && l.keep(client) {
				l.serve(client)
			}
		})
	}
}

// keep remembers a connection, to be ended with the others, unless all have been.
func (l *Line) keep(conn *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		drop(conn)
		return false
	}
	l.conns[conn] = true
	return true
}

func (l *Line) forget(conn *net.TCPConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	drop(conn)
}

// serve connects a client with the server until one of them ends.
func (l *Line) serve(client *net.TCPConn) {
	defer l.forget(client)
	if !l.wait(client) {
		return
	}
	server, err := l.dial()
	if err != nil || !l.keep(server) {
		return
	}
	defer l.forget(server)
	var back sync.WaitGroup
	back.Go(func() { l.pass(client, server); drop(client) })
	l.pass(server, client)
	drop(server)
	back.Wait()
}

func (l *Line) dial() (*net.TCPConn, error) {
	conn, err := net.Dial("tcp", l.target)
	if err != nil {
		return nil, err
	}
	if server, ok := conn.(*net.TCPConn); ok {
		return server, nil
	}
	return nil, errors.Join(fmt.Errorf("%s is not reached by TCP", l.target), conn.Close())
}

// pass passes bytes on until one side ends.
func (l *Line) pass(to, from *net.TCPConn) {
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if n > 0 && l.wait(from) {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait returns when the line isn't cut, and tells whether the connection is still there.
func (l *Line) wait(conn *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.cut && l.conns[conn] {
		l.whole.Wait()
	}
	return l.conns[conn]
}
