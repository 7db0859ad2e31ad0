package app

import (
	"io"
	"net"
	"sync"
	"testing"

	"eventprospect/mesh/meshtest"
)

// proxy stands before a server; it can be cut, so that connections end, and frozen, so that nobody answers.
type proxy struct {
	address, target string

	mu    sync.Mutex
	off   bool
	flow  *sync.Cond
	froze bool
	conns map[net.Conn]bool
	all   sync.WaitGroup
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener := meshtest.Listen(t)
	p := &proxy{address: listener.Addr().String(), target: target, conns: map[net.Conn]bool{}}
	p.flow = sync.NewCond(&p.mu)
	p.all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); p.restore(); p.cut(); p.all.Wait() })
	return p
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.froze = true
}

func (p *proxy) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off, p.froze = false, false
	p.flow.Broadcast()
}

// keep remembers a connection, unless all are cut.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.off {
		p.conns[conn] = true
	}
	return !p.off
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(server) {
		return
	}
	p.all.Go(func() { p.copy(client, server) })
	p.copy(server, client)
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	_, _ = io.Copy(tap{p, to}, from)
}

// tap is closed while the proxy is frozen.
type tap struct {
	proxy *proxy
	to    net.Conn
}

func (t tap) Write(b []byte) (int, error) {
	t.proxy.mu.Lock()
	for t.proxy.froze {
		t.proxy.flow.Wait()
	}
	t.proxy.mu.Unlock()
	return t.to.Write(b)
}
