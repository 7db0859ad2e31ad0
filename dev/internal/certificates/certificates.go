// Package certificates makes a folder of certificates for development: an authority, and a certificate for each process of the
// mesh and for a person's tools.
package certificates

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

const (
	// authorityLife is how long all of it lasts, and life a certificate; both end in time for nobody to rely on them.
	authorityLife = 365 * 24 * time.Hour
	life          = 30 * 24 * time.Hour
	// authorityName is what the files of the authority are called.
	authorityName = "ca"
)

// holders have a certificate each; client is a person with curl or grpcurl.
var holders = [...]string{"gateway", "event", "prospect", "registry", "client"}

// Config gives the settings of a process whose files are in a folder that Make has made. The gateway is for everybody; the
// others want a certificate of whoever calls them.
func Config(folder, process string) mtls.Config {
	cert, key := paths(folder, process)
	authorities := Authorities(folder)
	cfg := mtls.Config{
		Server: mtls.ServerConfig{CertFile: cert, KeyFile: key, ClientCAFile: authorities},
		Client: mtls.ClientConfig{Enabled: true, CAFile: authorities, CertFile: cert, KeyFile: key},
	}
	if process == "gateway" {
		cfg.Server.ClientCAFile = ""
	}
	return cfg
}

// Authorities is the file with what to trust.
func Authorities(folder string) string { return filepath.Join(folder, authorityName+".crt") }

// Make fills a folder: with NAME.crt and NAME.key for each process, and the authority that all trust. An authority that is there
// stays, and issues new certificates, which running processes take over.
func Make(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	issuer, err := authorityIn(folder)
	if err != nil {
		return fmt.Errorf("the authority in %s: %w", folder, err)
	}
	until := time.Now().Add(life)
	if issuer.Until().Before(until) {
		until = issuer.Until()
	}
	for _, name := range holders {
		cert, key, err := issuer.Issue(authority.Leaf{Names: []string{name, "localhost", "127.0.0.1", "::1"}, Until: until})
		if err == nil {
			err = write(folder, name, cert, key)
		}
		if err != nil {
			return fmt.Errorf("certificate of %s: %w", name, err)
		}
	}
	return nil
}

// authorityIn reads the authority of a folder, or makes one if there is none or it is over.
func authorityIn(folder string) (*authority.Authority, error) {
	certPath, keyPath := paths(folder, authorityName)
	cert, err := os.ReadFile(certPath)
	if errors.Is(err, fs.ErrNotExist) {
		return newAuthority(folder)
	}
	if err != nil {
		return nil, err
	}
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, err
	}
	known, err := authority.Load(cert, key)
	if err == nil && time.Now().After(known.Until()) {
		return newAuthority(folder)
	}
	return known, err
}

func newAuthority(folder string) (*authority.Authority, error) {
	made, err := authority.New("EventProspect development", authorityLife)
	if err != nil {
		return nil, err
	}
	key, err := made.Key()
	if err != nil {
		return nil, err
	}
	return made, write(folder, authorityName, made.Certificate(), key)
}

// write replaces both files, each at once. Only the owner reads a key.
func write(folder, name string, cert, key []byte) error {
	certPath, keyPath := paths(folder, name)
	return errors.Join(replace(keyPath, key, 0o600), replace(certPath, cert, 0o644))
}

func replace(path string, text []byte, mode fs.FileMode) error {
	next := path + ".new"
	if err := os.WriteFile(next, text, mode); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func paths(folder, name string) (cert, key string) {
	return filepath.Join(folder, name+".crt"), filepath.Join(folder, name+".key")
}
