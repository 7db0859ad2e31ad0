// Package authority issues certificates for development and for tests: a certificate authority in a few lines, whose key lies
// about. Production has a real one.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// early is how long before now certificates begin: the clocks of two machines may differ.
const early = time.Minute

// Authority issues certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority of this name that lasts this long.
func New(name string, life time.Duration) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	a := &Authority{key: key, cert: &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-early), NotAfter: now.Add(life),
		BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, key.Public(), key)
	if err != nil {
		return nil, err
	}
	a.cert, err = x509.ParseCertificate(der)
	return a, err
}

// Load reads an authority from the PEM of its certificate and its key.
func Load(cert, key []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	private, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return nil, fmt.Errorf("%s is not an authority with an ECDSA key", pair.Leaf.Subject)
	}
	return &Authority{cert: pair.Leaf, key: private}, nil
}

// Until is when the authority's certificate ends, and with it all that it issued.
func (a *Authority) Until() time.Time { return a.cert.NotAfter }

// Certificate is the authority's certificate in PEM: what others trust.
func (a *Authority) Certificate() []byte { return encode("CERTIFICATE", a.cert.Raw) }

// Key is the authority's key in PEM.
func (a *Authority) Key() ([]byte, error) { return encodeKey(a.key) }

// Leaf says what a certificate is for.
type Leaf struct {
	// Names are the DNS names and IP addresses of a server, which may also act as a client.
	Names []string
	// ID is a SPIFFE ID; empty: none.
	ID string
	// Until is when it ends. One that is over already began an hour before.
	Until time.Time
}

// Issue makes a certificate and its key, in PEM.
func (a *Authority) Issue(leaf Leaf) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: leaf.Names[0]},
		NotBefore: time.Now().Add(-early), NotAfter: leaf.Until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if !template.NotBefore.Before(leaf.Until) {
		template.NotBefore = leaf.Until.Add(-time.Hour)
	}
	for _, name := range leaf.Names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	if leaf.ID != "" {
		id, err := url.Parse(leaf.ID)
		if err != nil {
			return nil, nil, err
		}
		template.URIs = []*url.URL{id}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, private.Public(), a.key)
	if err != nil {
		return nil, nil, err
	}
	key, err = encodeKey(private)
	return encode("CERTIFICATE", der), key, err
}

// serial is unpredictable and never repeated, as 128 random bits are.
func serial() *big.Int {
	number := make([]byte, 16)
	_, _ = rand.Read(number) // never fails
	return new(big.Int).SetBytes(number)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return encode("PRIVATE KEY", der), err
}
