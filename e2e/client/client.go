// Package client is a client of the system as anyone could write one: it knows addresses, users and the contracts, and
// nothing of what is behind them.
package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Patience bounds every wait for something that must happen.
const Patience = 20 * time.Second

// Users of the development realm; the password of each is its name.
const (
	Editor = "ada"
	Reader = "rita"
	Admin  = "root"
	// Nobody calls without a token, and Forger with one that no issuer made.
	Nobody = "nobody"
	Forger = "forger"
)

// forged has the form of a token.
const forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmb3JnZXIifQ."

// Endpoints are where a system is reached.
type Endpoints struct {
	// Gateway is the URL of the REST API, Issuer that of the realm.
	Gateway, Issuer string
	// Event, Prospect and Registry are the hosts and ports of the gRPC services.
	Event, Prospect, Registry string
	// TLS is how all but the issuer are spoken to; nil: plaintext.
	TLS *tls.Config
}

// Client calls one system, in the name of any user. It is safe for concurrent use.
type Client struct {
	Endpoints
	http  *http.Client
	conns map[string]*grpc.ClientConn // by the package of the contract: event.v1

	mu     sync.Mutex
	tokens map[string]token
	seen   []string // every token that the system was given
}

// New makes a client. It connects when it is first used.
func New(at Endpoints) (*Client, error) {
	c := &Client{
		Endpoints: at,
		http: &http.Client{
			Timeout:   Patience,
			Transport: &http.Transport{MaxIdleConnsPerHost: 64, TLSClientConfig: at.TLS, ForceAttemptHTTP2: true},
			// An answer is looked at as it is.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		conns:  map[string]*grpc.ClientConn{},
		tokens: map[string]token{},
	}
	creds := insecure.NewCredentials()
	if at.TLS != nil {
		creds = credentials.NewTLS(at.TLS)
	}
	for contract, address := range map[string]string{"event.v1": at.Event, "prospect.v1": at.Prospect, "registry.v1": at.Registry} {
		// Retries and translated errors are for the mesh's own clients; here a status is taken as it was sent.
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds), grpc.WithDisableRetry())
		if err != nil {
			return nil, err
		}
		c.conns[contract] = conn
	}
	return c, nil
}

// Close ends all connections.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	for _, conn := range c.conns {
		_ = conn.Close() // nothing is lost with it
	}
}

// Conn gives the connection to the server of a contract, by its package: "event.v1".
func (c *Client) Conn(contract string) (*grpc.ClientConn, error) {
	conn := c.conns[contract]
	if conn == nil {
		return nil, fmt.Errorf("nobody serves the contract %q", contract)
	}
	return conn, nil
}

// As gives the context of a gRPC call in the name of a user.
func (c *Client) As(ctx context.Context, user string) (context.Context, error) {
	token, err := c.Token(ctx, user)
	if err != nil || token == "" {
		return ctx, err
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token), nil
}

// Do sends an HTTP request in the name of a user.
func (c *Client) Do(req *http.Request, user string) (*http.Response, error) {
	token, err := c.Token(req.Context(), user)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return c.http.Do(req)
}

// Request makes a request to the gateway; the path is as it shall be sent, percent-encoded. A body is said to be JSON.
func (c *Client) Request(ctx context.Context, method, path, body string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Gateway+path, strings.NewReader(body))
	if err == nil && body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, err
}
