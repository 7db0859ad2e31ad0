package mtls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Peer names the process at the other end of a call's connection, by the certificate that it showed and that was verified. It is
// empty if there was none. Whom the call is for, the token says.
func Peer(ctx context.Context) string {
	p, _ := peer.FromContext(ctx)
	if p == nil {
		return ""
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return ""
	}
	return identity(info.State.VerifiedChains[0][0])
}

// identity is whom a certificate is for: its SPIFFE ID (SPIFFE X509-SVID, section 2), or else its first DNS name.
func identity(cert *x509.Certificate) string {
	switch id := spiffeID(cert); {
	case id != nil:
		return id.String()
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	}
	return cert.Subject.CommonName
}

// spiffeID is the only URI of a certificate, if its scheme is spiffe.
func spiffeID(cert *x509.Certificate) *url.URL {
	if len(cert.URIs) == 1 && cert.URIs[0].Scheme == "spiffe" {
		return cert.URIs[0]
	}
	return nil
}

// Established are the credentials of a gRPC server whose listener has done the handshake of each connection.
func Established() credentials.TransportCredentials { return established{} }

type established struct{}

func (established) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	secure, ok := conn.(*tls.Conn)
	if !ok || !secure.ConnectionState().HandshakeComplete {
		return nil, nil, errors.New("the listener gave a connection without TLS")
	}
	info := credentials.TLSInfo{
		State: secure.ConnectionState(), CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}
	if certs := info.State.PeerCertificates; len(certs) > 0 {
		info.SPIFFEID = spiffeID(certs[0])
	}
	return conn, info, nil
}

func (established) ClientHandshake(context.Context, string, net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these are the credentials of a server")
}

func (established) Info() credentials.ProtocolInfo {
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

func (e established) Clone() credentials.TransportCredentials { return e }

func (established) OverrideServerName(string) error {
	return errors.New("a server verifies no name")
}
