// Package split lets two servers share one port: one that speaks HTTP/2, such as gRPC's own, and one that speaks anything
// else, such as HTTP/1.1. On a plaintext port a connection goes to the first if it begins with the client preface of
// HTTP/2 (RFC 9113 section 3.4), which no request of HTTP/1.1 can; on one that speaks TLS, if both ends agreed on HTTP/2 (ALPN,
// RFC 7301).
package split

import (
	"container/list"
	"errors"
	"net"
	"sync"
	"time"
)

// preface is what a client of HTTP/2 sends first.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// How long Serve waits after a failure that may pass, such as too many open files, at first and at most.
const (
	firstWait = 5 * time.Millisecond
	maxWait   = time.Second
)

// Limits bound what connections cost that have not yet shown which server they are for.
type Limits struct {
	// Patience is how long a connection may take to show it; then it is closed.
	Patience time.Duration
	// Undecided is how many may be open at once. One more, and the one that has taken longest is closed: who
	// opens connections and says nothing keeps no others out.
	Undecided int
}

// Splitter hands each connection of one listener to one of two.
type Splitter struct {
	from         net.Listener
	limits       Limits
	decide       decision
	http2, other *listener

	sniffing  sync.WaitGroup
	mu        sync.Mutex
	closed    bool
	undecided *list.List // of net.Conn, longest first
}

// decision finds out, before the deadline, whether a connection is for HTTP/2, and gives what its server shall read from.
type decision func(conn net.Conn, deadline time.Time) (ready net.Conn, http2 bool, err error)

// New makes a splitter of a plaintext listener, which belongs to it from now on.
func New(from net.Listener, limits Limits) *Splitter { return newSplitter(from, limits, byPreface) }

func newSplitter(from net.Listener, limits Limits, decide decision) *Splitter {
	return &Splitter{
		from: from, limits: limits, decide: decide, undecided: list.New(),
		http2: newListener(from.Addr()), other: newListener(from.Addr()),
	}
}

// HTTP2 gives the listener for connections that speak HTTP/2.
func (s *Splitter) HTTP2() net.Listener { return s.http2 }

// Other gives the listener for all other connections.
func (s *Splitter) Other() net.Listener { return s.other }

// Serve hands out connections until the splitter is closed, which is no error, or its listener fails. Both listeners
// fail with the same error then. It leaves nothing open that was not handed out.
func (s *Splitter) Serve() error {
	err := s.accept()
	s.mu.Lock()
	if s.closed {
		err = nil
	}
	s.mu.Unlock()
	closing := s.end(err)
	s.sniffing.Wait()
	return errors.Join(err, closing)
}

// accept never waits for a client: a connection shows in a goroutine of its own which server it is for.
func (s *Splitter) accept() error {
	var wait time.Duration
	for {
		conn, err := s.from.Accept()
		if err != nil {
			if !mayPass(err) {
				return err
			}
			wait = min(max(2*wait, firstWait), maxWait)
			time.Sleep(wait)
			continue
		}
		wait = 0
		if place := s.admit(conn); place != nil {
			s.sniffing.Go(func() { s.sniff(conn, place) })
		}
	}
}

// mayPass tells whether it makes sense to accept again, by the test that net/http and grpc-go use, too.
func mayPass(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.As(err, &temporary) && temporary.Temporary()
}

// admit counts a connection as undecided, and makes room for it if it must. It is nil if the splitter is closed, and
// the connection with it.
func (s *Splitter) admit(conn net.Conn) *list.Element {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close() // nothing was said on it
		return nil
	}
	if s.undecided.Len() >= max(1, s.limits.Undecided) {
		s.drop(s.undecided.Front())
	}
	return s.undecided.PushBack(conn)
}

// drop closes an undecided connection; whoever reads from it notices.
func (s *Splitter) drop(place *list.Element) {
	if conn, ok := s.undecided.Remove(place).(net.Conn); ok {
		_ = conn.Close() // nothing was said on it
	}
}

// sniff finds out which server a connection is for, and hands it over.
func (s *Splitter) sniff(conn net.Conn, place *list.Element) {
	ready, http2, err := s.decide(conn, time.Now().Add(s.limits.Patience))
	to := s.other
	if http2 {
		to = s.http2
	}
	if err != nil || !to.take(ready) {
		_ = conn.Close() // what it was for can't be said, or is over
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.undecided.Remove(place) // no harm if it was dropped
}

// byPreface reads until what came is no beginning of the preface any more, or all of it.
func byPreface(conn net.Conn, deadline time.Time) (ready net.Conn, http2 bool, err error) {
	if err := conn.SetReadDeadline(deadline); err != nil {
		return nil, false, err
	}
	head := make([]byte, 0, len(preface))
	for len(head) < len(preface) && string(head) == preface[:len(head)] {
		n, err := conn.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if err != nil && string(head) == preface[:len(head)] {
			return nil, false, err
		}
	}
	_ = conn.SetReadDeadline(time.Time{}) // if it is closed already, its server will notice
	return &replayed{Conn: conn, head: head}, string(head) == preface, nil
}

// Close ends Serve, closes the listener and every connection that is undecided, and closes the listeners of both
// servers. Connections that a server has taken stay open.
func (s *Splitter) Close() error { return s.end(nil) }

func (s *Splitter) end(cause error) error {
	if cause == nil {
		cause = net.ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for place := s.undecided.Front(); place != nil; place = s.undecided.Front() {
		s.drop(place)
	}
	s.http2.end(cause)
	s.other.end(cause)
	return s.from.Close()
}
