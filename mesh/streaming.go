package mesh

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

// stall bounds how long a client may keep one piece of an answer waiting.
const stall = time.Minute

// newStreamingServer serves HTTP/1.1 to listeners that are patient: an answer may go on and on, while a client that takes
// nothing of it is left. Answers without end are over when the server is shut down.
func newStreamingServer(handler http.Handler) *http.Server {
	stopping, stop := context.WithCancel(context.Background())
	server := newHTTPServer(endless{handler, stopping})
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.RegisterOnShutdown(stop)
	return server
}

// endless serves requests for answers without end.
type endless struct {
	http.Handler
	stopping context.Context
}

func (e endless) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/event-stream") {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(e.stopping, cancel)()
		r = r.WithContext(ctx)
	}
	e.Handler.ServeHTTP(w, r)
}

// patient is a listener whose connections may be written to for as long as the other end takes what is written.
type patient struct{ net.Listener }

func (p patient) Accept() (net.Conn, error) {
	conn, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return stalling{conn}, nil
}

// stalling is a connection of which each write has a deadline of its own. So the server's WriteTimeout, which is for all of them
// together, never comes to bear.
type stalling struct{ net.Conn }

func (s stalling) Write(text []byte) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return 0, err
	}
	return s.Conn.Write(text)
}
