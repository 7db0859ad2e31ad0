package mtls

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

const (
	// dialTimeout bounds an attempt of DialContext to connect, the handshake included.
	dialTimeout = 5 * time.Second
	// sayFailed is how often the log hears of connections that failed: who retries does so many times a second.
	sayFailed = 10 * time.Second
)

// Client is the side of who connects.
type Client struct {
	source  *source
	minimum uint16
	failed  *rate.Sometimes
}

// NewClient reads the files of an enabled configuration. Servers of the mesh speak TLS 1.3; those of others may speak 1.2.
func NewClient(cfg ClientConfig, minimum uint16, log *slog.Logger) (*Client, error) {
	s, err := newSource(cfg.paths(), log)
	if err != nil {
		return nil, err
	}
	return &Client{source: s, minimum: minimum, failed: &rate.Sometimes{First: 1, Interval: sayFailed}}, nil
}

// Watch looks after the files until the context ends.
func (c *Client) Watch(ctx context.Context) { c.source.watch(ctx) }

// config is for one connection, to a server whose certificate must be for this name.
func (c *Client) config(name string) *tls.Config {
	m := c.source.now()
	cfg := &tls.Config{MinVersion: c.minimum, RootCAs: m.authorities, ServerName: name}
	if m.certificate != nil {
		// Shown whatever authorities the server names: it then says what it has against the certificate, and not that there is none.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return m.certificate, nil }
	}
	return cfg
}

// say tells the log, now and then, why there is no connection: callers that wait for one are told no more than that time is up.
func (c *Client) say(server string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	c.failed.Do(func() { c.source.log.Warn("TLS connection failed", "server", server, "error", err) })
}

// DialContext connects to a host and port. The server's certificate must be for the host.
func (c *Client) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: c.config(host)}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		c.say(address, err)
	}
	return conn, err
}

// Credentials are those of gRPC connections. The server's certificate must be for the authority of the connection's target: that
// is "event" for mesh:///event, wherever the instance is, and else the host.
func (c *Client) Credentials() credentials.TransportCredentials { return clientCredentials{c} }

// DialOption gives a gRPC connection these credentials.
func (c *Client) DialOption() grpc.DialOption { return grpc.WithTransportCredentials(c.Credentials()) }

// clientCredentials make each connection with what the files hold then.
type clientCredentials struct{ client *Client }

func (c clientCredentials) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secure, info, err := credentials.NewTLS(c.client.config("")).ClientHandshake(ctx, authority, conn)
	if err != nil {
		c.client.say(authority, err)
	}
	return secure, info, err
}

func (clientCredentials) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these are the credentials of a client")
}

func (clientCredentials) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (c clientCredentials) Clone() credentials.TransportCredentials { return c }

func (clientCredentials) OverrideServerName(string) error {
	return errors.New("the name to verify is that of the target")
}
