package meshtest

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

// Authority issues certificates that outlive the test, but not by much.
type Authority struct {
	*authority.Authority
	t testing.TB
}

// NewAuthority makes an authority that nobody trusts yet.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	made, err := authority.New("test", 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{made, t}
}

// Certificate makes a certificate for these names, to be used without files.
func (a *Authority) Certificate(leaf authority.Leaf) tls.Certificate {
	a.t.Helper()
	if leaf.Until.IsZero() {
		leaf.Until = time.Now().Add(time.Hour)
	}
	cert, key, err := a.Issue(leaf)
	if err != nil {
		a.t.Fatal(err)
	}
	both, err := tls.X509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	return both
}

// Pool trusts this authority.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.Authority.Certificate())
	return pool
}

// Files makes the files of a process: a certificate for these names, and this authority to trust.
func (a *Authority) Files(names ...string) Files {
	a.t.Helper()
	folder := a.t.TempDir()
	f := Files{Cert: filepath.Join(folder, "tls.crt"), Key: filepath.Join(folder, "tls.key"), CA: filepath.Join(folder, "ca.crt"), t: a.t}
	f.Trust(a)
	f.Renew(a, authority.Leaf{Names: names})
	return f
}

// Files are those of one process.
type Files struct {
	Cert, Key, CA string
	t             testing.TB
}

// Renew replaces the certificate and its key.
func (f Files) Renew(by *Authority, leaf authority.Leaf) {
	f.t.Helper()
	if leaf.Until.IsZero() {
		leaf.Until = time.Now().Add(time.Hour)
	}
	cert, key, err := by.Issue(leaf)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Write(f.Cert, cert)
	f.Write(f.Key, key)
}

// Trust replaces the authorities that are trusted.
func (f Files) Trust(all ...*Authority) {
	f.t.Helper()
	var text []byte
	for _, a := range all {
		text = append(text, a.Authority.Certificate()...)
	}
	f.Write(f.CA, text)
}

// Write replaces a file at once.
func (f Files) Write(path string, text []byte) {
	f.t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		f.t.Fatal(err)
	}
}

// Server wants a certificate of every client.
func (f Files) Server() mtls.ServerConfig {
	return mtls.ServerConfig{CertFile: f.Cert, KeyFile: f.Key, ClientCAFile: f.CA}
}

// Client shows its certificate.
func (f Files) Client() mtls.ClientConfig {
	return mtls.ClientConfig{Enabled: true, CAFile: f.CA, CertFile: f.Cert, KeyFile: f.Key}
}

// Config is for a process that serves and calls with these files.
func (f Files) Config() mtls.Config { return mtls.Config{Server: f.Server(), Client: f.Client()} }
