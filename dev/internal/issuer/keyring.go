package issuer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

const keyFile = "signing-key.pem"

// keyring is all keys that the issuer publishes. They live in one file, so that a change is there as a whole or not at all.
type keyring struct {
	path string // "" keeps them in memory

	mu sync.RWMutex
	// keys has the one that signs first. The others check what they signed before.
	keys []signingKey
}

// openKeys reads the keys of the folder dir, or makes the folder and a first key. "" keeps them in memory.
func openKeys(dir string) (*keyring, error) {
	ring := &keyring{}
	if dir == "" {
		return ring, ring.rotate()
	}
	ring.path = filepath.Join(dir, keyFile)
	content, err := os.ReadFile(ring.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ring, ring.rotate()
	case err != nil:
		return nil, fmt.Errorf("signing key: %w", err)
	}
	if ring.keys, err = parseKeys(content); err != nil {
		return nil, fmt.Errorf("signing key %s: %w; delete it to get a new key", ring.path, err)
	}
	return ring, nil
}

func parseKeys(content []byte) (keys []signingKey, err error) {
	for len(bytes.TrimSpace(content)) > 0 || len(keys) == 0 {
		block, rest := pem.Decode(content)
		if block == nil {
			return nil, errors.New("not a PEM file")
		}
		key, err := parseKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		keys, content = append(keys, key), rest
	}
	return keys, nil
}

// signing gives the key that signs.
func (r *keyring) signing() signingKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.keys[0]
}

// published gives all keys, the one that signs first.
func (r *keyring) published() []signingKey {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.keys)
}

// rotate makes a new key that signs from now on, and keeps the others.
func (r *keyring) rotate() error {
	made, err := newKey()
	if err != nil {
		return err
	}
	return r.change(func(keys []signingKey) []signingKey { return append([]signingKey{made}, keys...) })
}

// retire forgets all keys but the one that signs.
func (r *keyring) retire() error {
	return r.change(func(keys []signingKey) []signingKey { return keys[:1:1] })
}

// change is done when the file is written; else everything stays as it was.
func (r *keyring) change(change func([]signingKey) []signingKey) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := change(r.keys)
	if r.path != "" {
		if err := writeKeys(r.path, keys); err != nil {
			return fmt.Errorf("signing key: %w", err)
		}
	}
	r.keys = keys
	return nil
}

// writeKeys shows the file under its name only when it is whole, so a crash can't leave half a key.
func writeKeys(path string, keys []signingKey) (err error) {
	var content bytes.Buffer
	for _, key := range keys {
		der, err := x509.MarshalPKCS8PrivateKey(key.private)
		if err != nil {
			return err
		}
		if err := pem.Encode(&content, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
			return err
		}
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
	_, err = file.Write(content.Bytes())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
