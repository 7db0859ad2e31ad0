// Package mtls lets processes speak TLS and know each other by certificates of their own authorities. Certificates, keys and
// authorities are files that may be replaced while the process runs: a connection made a second later uses the new ones, and
// those that are open go on. Files that can't be used change nothing.
//
// The file watcher of grpc-go (credentials/tls/certprovider/pemfile) was no choice: it speaks of failures to
// its own log alone, and there it shows the key; and it is for gRPC alone.
package mtls

import (
	"context"
	"crypto/tls"
	"log/slog"
	"slices"
)

// What is agreed on by ALPN (RFC 7301).
const (
	http2 = "h2"
	http1 = "http/1.1"
)

// Server is the side of a listener.
type Server struct {
	source  *source
	minimum uint16
}

// NewServer reads the files of an enabled configuration.
func NewServer(cfg ServerConfig, log *slog.Logger) (*Server, error) {
	minimum, err := version(cfg.MinVersion)
	if err != nil {
		return nil, err
	}
	s, err := newSource(cfg.paths(), log)
	if err != nil {
		return nil, err
	}
	return &Server{source: s, minimum: minimum}, nil
}

// GRPC is for a port that speaks gRPC alone.
func (s *Server) GRPC() *tls.Config {
	return s.config(true, func([]string) []string { return []string{http2} })
}

// HTTP is for a port that speaks HTTP alone, of either version.
func (s *Server) HTTP() *tls.Config {
	return s.config(true, func([]string) []string { return []string{http2, http1} })
}

// Shared is for a port on which HTTP/2 is for gRPC and HTTP/1.1 for all others. Both gRPC and browsers like HTTP/2 best, but a
// gRPC client can do nothing else: who can speak HTTP/1.1, shall.
func (s *Server) Shared() *tls.Config {
	return s.config(true, func(offered []string) []string {
		if slices.Contains(offered, http1) {
			return []string{http1}
		}
		return []string{http2}
	})
}

// Admin is HTTP that asks for no certificate.
func (s *Server) Admin() *tls.Config {
	return s.config(false, func([]string) []string { return []string{http2, http1} })
}

// Watch looks after the files until the context ends.
func (s *Server) Watch(ctx context.Context) { s.source.watch(ctx) }

// Mutual tells whether every client must show a certificate.
func (s *Server) Mutual() bool { return s.source.paths.authorities != "" }

// config gives each client what is true when it comes.
func (s *Server) config(askIfMutual bool, protocols func(offered []string) []string) *tls.Config {
	return &tls.Config{
		MinVersion: s.minimum,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			m := s.source.now()
			cfg := &tls.Config{
				MinVersion: s.minimum, Certificates: []tls.Certificate{*m.certificate}, NextProtos: protocols(hello.SupportedProtos),
			}
			if askIfMutual && m.authorities != nil {
				cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, m.authorities
				// A session that is taken up again would stand for an authority that may be trusted no more.
				cfg.SessionTicketsDisabled = true
			}
			return cfg, nil
		},
	}
}
