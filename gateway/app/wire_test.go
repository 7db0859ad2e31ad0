package app_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"eventprospect/mesh/meshtest"
)

// field is a header field; one of HTTP/2 may be a pseudo-header (":path").
type field struct{ name, value string }

// reply is what a server answers to bytes that a client of ours wouldn't send.
type reply struct {
	// status is the HTTP status; 0 if the stream, or the connection, was cut off.
	status int
	// code is the gRPC status code, message its message; -1 if there is none.
	code    int
	message string
	body    string
}

// connect opens a connection for one test.
func connect(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(meshtest.Patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// sendHTTP1 sends text as it is.
func sendHTTP1(t *testing.T, address, text string) reply {
	t.Helper()
	conn := connect(t, address)
	// What is refused early may be cut off while it is still sent.
	_, _ = io.WriteString(conn, text)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return reply{code: -1}
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, code: -1, body: string(body)}
}

// sendHTTP2 sends one request with these fields in this order, by prior knowledge (RFC 9113, section 3.3).
func sendHTTP2(t *testing.T, address string, fields []field, body []byte) reply {
	t.Helper()
	conn := connect(t, address)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		if err := encoder.WriteField(hpack.HeaderField{Name: f.name, Value: f.value}); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	framer.AllowIllegalWrites = true
	_ = framer.WriteSettings()
	writeHeaders(framer, block.Bytes(), len(body) == 0)
	if len(body) > 0 {
		_ = framer.WriteData(1, true, body)
	}
	return readReply(framer)
}

// writeHeaders writes a block of any length.
func writeHeaders(framer *http2.Framer, block []byte, end bool) {
	const most = 16 << 10
	first := block[:min(most, len(block))]
	rest := block[len(first):]
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: first, EndStream: end, EndHeaders: len(rest) == 0})
	for len(rest) > 0 {
		next := rest[:min(most, len(rest))]
		rest = rest[len(next):]
		_ = framer.WriteContinuation(1, len(rest) == 0, next)
	}
}

// readReply reads until the stream is over.
func readReply(framer *http2.Framer) reply {
	got := reply{code: -1}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return got
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			got.read(f.Fields)
		case *http2.DataFrame:
			got.body += string(f.Data())
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return got
		}
		if h := frame.Header(); h.StreamID == 1 && h.Flags.Has(http2.FlagDataEndStream) && h.Type <= http2.FrameHeaders {
			return got
		}
	}
}

// read takes what the head, or the trailer, of an answer says.
func (r *reply) read(fields []hpack.HeaderField) {
	for _, f := range fields {
		switch f.Name {
		case ":status":
			r.status, _ = strconv.Atoi(f.Value)
		case "grpc-status":
			r.code, _ = strconv.Atoi(f.Value)
		case "grpc-message":
			r.message = f.Value
		}
	}
}

// message frames a gRPC message (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
func message(encoded []byte) []byte {
	n := len(encoded)
	return append([]byte{0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, encoded...)
}
