package mongodb

import (
	"net"
	"net/url"
	"sync"
	"testing"

	"eventprospect/mesh/meshtest"
)

// proxy is the way to the database that can be cut, and restored, or fall silent.
type proxy struct {
	target string

	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
	silent   chan struct{} // open while nothing may pass
}

// newProxy gives a way to the server of this address, and the address that leads over it.
func newProxy(t testing.TB, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("not a URL")
	}
	p := &proxy{target: u.Host, listener: meshtest.Listen(t), silent: make(chan struct{})}
	close(p.silent)
	u.Host = p.listener.Addr().String()
	u.RawQuery = "directConnection=true" // else the driver asks the server for its own address, and goes there
	go p.accept(p.listener)
	t.Cleanup(p.cut)
	return p, u.String()
}

func (p *proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go p.forward(server, client)
		go p.forward(client, server)
	}
}

func (p *proxy) forward(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		<-silent
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut refuses connections, and ends those that are there.
func (p *proxy) cut() {
	p.speak()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener.Close()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// restore makes the way passable again, at the same address.
func (p *proxy) restore(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	listener, err := net.Listen("tcp", p.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p.listener = listener
	go p.accept(listener)
}

// hush keeps all connections, but lets nothing pass until speak.
func (p *proxy) hush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = make(chan struct{})
}

func (p *proxy) speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.silent:
	default:
		close(p.silent)
	}
}
