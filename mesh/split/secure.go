package split

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// http2Protocol is HTTP/2 in ALPN.
const http2Protocol = "h2"

// NewSecure makes a splitter of a listener whose clients speak TLS; the listener belongs to it from now on. What it hands out
// is a *tls.Conn of which the handshake is done. A connection that came to no handshake is refused: it is
// closed, and the function is told why. It may be called by several at once.
func NewSecure(from net.Listener, limits Limits, config *tls.Config, refused func(net.Conn, error)) *Splitter {
	return newSplitter(from, limits, func(conn net.Conn, deadline time.Time) (net.Conn, bool, error) {
		secure, err := shakeHands(conn, config, deadline)
		if err != nil {
			// Somebody looked whether the port is open, or the splitter closed it.
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
				refused(conn, err)
			}
			return nil, false, err
		}
		return secure, secure.ConnectionState().NegotiatedProtocol == http2Protocol, nil
	})
}

func shakeHands(conn net.Conn, config *tls.Config, deadline time.Time) (*tls.Conn, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	secure := tls.Server(conn, config)
	err := secure.HandshakeContext(ctx)
	if err == nil {
		return secure, nil
	}
	var noTLS tls.RecordHeaderError
	if errors.As(err, &noTLS) && noTLS.Conn != nil && isHTTP(noTLS.RecordHeader) {
		// As net/http answers: who wrote http: for https: shall not have to guess.
		_, _ = io.WriteString(conn, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
	}
	return nil, err
}

// isHTTP tells whether the first bytes are those of a request of HTTP/1.1.
func isHTTP(head [5]byte) bool {
	switch string(head[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "PATCH", "DELET", "OPTIO":
		return true
	}
	return false
}
