package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
)

const (
	keyFile = "signing-key.pem"
	keyBits = 2048
)

// signingKey signs every token. It satisfies what the op package wants of a signing key; its public half is publicKey.
type signingKey struct {
	id      string // the key's RFC 7638 thumbprint, so the same key has the same name after a restart
	private *rsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) Key() any                                    { return k.private }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// publicKey is what the JWKS shows of a signingKey.
type publicKey struct{ signingKey }

func (k publicKey) Key() any                           { return k.private.Public() }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (k publicKey) Use() string                        { return "sig" }

// openKey reads the signing key of the folder dir, or makes the folder and a new key. "" keeps the key in memory.
func openKey(dir string) (signingKey, error) {
	if dir == "" {
		return newKey()
	}
	path := filepath.Join(dir, keyFile)
	content, err := os.ReadFile(path)
	if err == nil {
		return readKey(path, content)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return signingKey{}, fmt.Errorf("signing key: %w", err)
	}
	key, err := newKey()
	if err != nil {
		return signingKey{}, err
	}
	if err := writeKey(path, key.private); err != nil {
		return signingKey{}, fmt.Errorf("signing key: %w", err)
	}
	return key, nil
}

func newKey() (signingKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return signingKey{}, fmt.Errorf("signing key: %w", err)
	}
	return nameKey(private)
}

func nameKey(private *rsa.PrivateKey) (signingKey, error) {
	thumbprint, err := (&jose.JSONWebKey{Key: private.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return signingKey{}, fmt.Errorf("signing key: %w", err)
	}
	return signingKey{id: base64.RawURLEncoding.EncodeToString(thumbprint), private: private}, nil
}

// readKey never repairs: a new key would silently end every token there is.
func readKey(path string, content []byte) (signingKey, error) {
	block, _ := pem.Decode(content)
	if block == nil {
		return signingKey{}, fmt.Errorf("signing key %s: not a PEM file; delete it to get a new key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return signingKey{}, fmt.Errorf("signing key %s: %w; delete it to get a new key", path, err)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < keyBits {
		return signingKey{}, fmt.Errorf(
			"signing key %s: not an RSA key of %d bits or more; delete it to get a new key", path, keyBits)
	}
	return nameKey(private)
}

// writeKey shows the file under its name only when it is whole, so a crash can't leave half a key.
func writeKey(path string, private *rsa.PrivateKey) (err error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), keyFile+".*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // the error at hand matters more
		}
	}()
	err = errors.Join(pem.Encode(file, &pem.Block{Type: "PRIVATE KEY", Bytes: der}), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
