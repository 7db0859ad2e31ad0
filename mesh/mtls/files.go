package mtls

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

// paths name the files of one side; any may be missing.
type paths struct {
	cert, key, authorities string
	authoritiesSetting     string // the name of the setting, for errors
}

// texts are what the files held when they were read.
type texts struct{ cert, key, authorities []byte }

// material is what can be used of them.
type material struct {
	certificate *tls.Certificate // nil: none to show
	authorities *x509.CertPool   // nil: no file
	sum         [sha256.Size]byte
}

// read reads all files and makes sense of them, or names each setting that can't be used.
func (p paths) read() (*material, error) {
	held, err := p.texts()
	if err != nil {
		return nil, err
	}
	return p.parse(held)
}

func (p paths) texts() (texts, error) {
	if (p.cert == "") != (p.key == "") {
		missing, other := "key_file", "cert_file"
		if p.cert == "" {
			missing, other = other, missing
		}
		return texts{}, fmt.Errorf("%s: must be set where %s is: they belong together", missing, other)
	}
	cert, certErr := readIfNamed("cert_file", p.cert)
	key, keyErr := readIfNamed("key_file", p.key)
	authorities, authoritiesErr := readIfNamed(p.authoritiesSetting, p.authorities)
	return texts{cert, key, authorities}, errors.Join(certErr, keyErr, authoritiesErr)
}

func (p paths) parse(held texts) (*material, error) {
	m := &material{sum: held.sum()}
	var pairErr, poolErr error
	if p.cert != "" {
		m.certificate, pairErr = pair(held.cert, held.key)
	}
	if p.authorities != "" {
		m.authorities, poolErr = pool(held.authorities)
		if poolErr != nil {
			poolErr = fmt.Errorf("%s: %w", p.authoritiesSetting, poolErr)
		}
	}
	if err := errors.Join(pairErr, poolErr); err != nil {
		return nil, err
	}
	return m, nil
}

func readIfNamed(setting, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return text, nil
}

// sum tells texts apart without keeping the key.
func (t texts) sum() [sha256.Size]byte {
	var all []byte
	for _, text := range [][]byte{t.cert, t.key, t.authorities} {
		one := sha256.Sum256(text)
		all = append(all, one[:]...)
	}
	return sha256.Sum256(all)
}

// pair makes a certificate that can be shown: its key belongs to it, and it has not expired.
func pair(cert, key []byte) (*tls.Certificate, error) {
	both, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("cert_file, key_file: %w", err)
	}
	if until := both.Leaf.NotAfter; time.Now().After(until) {
		return nil, fmt.Errorf("cert_file: the certificate expired at %s", until.UTC().Format(time.RFC3339))
	}
	return &both, nil
}

// pool reads authorities. Each must be readable: one that was passed over would be missed when its turn comes.
func pool(text []byte) (*x509.CertPool, error) {
	all, count := x509.NewCertPool(), 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all.AddCert(cert)
		count++
	}
	if count == 0 {
		return nil, errors.New("holds no certificate in PEM")
	}
	return all, nil
}
