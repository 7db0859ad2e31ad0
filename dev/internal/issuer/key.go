package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

const keyBits = 2048

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

// parseKey reads one key of a file. It never repairs: a new key would silently end every token there is.
func parseKey(der []byte) (signingKey, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return signingKey{}, err
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < keyBits {
		return signingKey{}, fmt.Errorf("not an RSA key of %d bits or more", keyBits)
	}
	return nameKey(private)
}
