package mtls

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// Config is how a process speaks TLS with others of the mesh. Its zero value is plaintext.
type Config struct {
	// Server is for who calls this process, Client for whom it calls.
	Server ServerConfig `koanf:"server"`
	Client ClientConfig `koanf:"client"`
}

// ServerConfig is how a listener speaks TLS. Its zero value is plaintext.
type ServerConfig struct {
	// CertFile holds the certificate to show, in PEM, with those between it and its authority after it; KeyFile its key.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
	// ClientCAFile holds the authorities, in PEM, of which every client must show a certificate. Empty: none is asked for one.
	ClientCAFile string `koanf:"client_ca_file"`
	// MinVersion is the oldest version that is spoken: 1.3, or 1.2 where clients of others can't do better. Empty: 1.3.
	MinVersion string `koanf:"min_version"`
	// Admin serves the admin port by TLS, too. It asks for no certificate: a kubelet's probe has none.
	Admin bool `koanf:"admin"`
}

// Enabled tells whether the listener speaks TLS.
func (c ServerConfig) Enabled() bool { return c.CertFile != "" }

// Validate names every setting that can't work. It reads the files.
func (c ServerConfig) Validate() error {
	var errs []error
	if _, err := version(c.MinVersion); err != nil {
		errs = append(errs, err)
	}
	if c.ClientCAFile != "" && c.MinVersion == "1.2" {
		errs = append(errs, errors.New("min_version: must be 1.3 where client_ca_file is set: the processes of the mesh speak it"))
	}
	if !c.Enabled() {
		return errors.Join(append(errs, onlyWith("cert_file is set", map[string]bool{
			"key_file": c.KeyFile != "", "client_ca_file": c.ClientCAFile != "", "min_version": c.MinVersion != "", "admin": c.Admin,
		})...)...)
	}
	_, err := c.paths().read()
	return errors.Join(append(errs, err)...)
}

func (c ServerConfig) paths() paths {
	return paths{cert: c.CertFile, key: c.KeyFile, authorities: c.ClientCAFile, authoritiesSetting: "client_ca_file"}
}

// ClientConfig is how connections to servers are made. Its zero value is plaintext.
type ClientConfig struct {
	// Enabled makes connections by TLS, and by nothing else.
	Enabled bool `koanf:"enabled"`
	// CAFile holds the authorities that are trusted to say who a server is, in PEM. Empty: those that this machine trusts.
	CAFile string `koanf:"ca_file"`
	// CertFile holds the certificate to show to a server that asks for one, in PEM, and KeyFile its key. Empty: none.
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
}

// Validate names every setting that can't work. It reads the files.
func (c ClientConfig) Validate() error {
	if !c.Enabled {
		return errors.Join(onlyWith("enabled is true", map[string]bool{
			"ca_file": c.CAFile != "", "cert_file": c.CertFile != "", "key_file": c.KeyFile != "",
		})...)
	}
	_, err := c.paths().read()
	return err
}

func (c ClientConfig) paths() paths {
	return paths{cert: c.CertFile, key: c.KeyFile, authorities: c.CAFile, authoritiesSetting: "ca_file"}
}

// onlyWith refuses settings that would be passed over in silence, while somebody believes that TLS is spoken.
func onlyWith(condition string, set map[string]bool) []error {
	var errs []error
	for _, name := range []string{"ca_file", "cert_file", "key_file", "client_ca_file", "min_version", "admin"} {
		if set[name] {
			errs = append(errs, fmt.Errorf("%s: has a meaning only if %s", name, condition))
		}
	}
	return errs
}

func version(text string) (uint16, error) {
	switch text {
	case "", "1.3":
		return tls.VersionTLS13, nil
	case "1.2":
		return tls.VersionTLS12, nil
	}
	return 0, fmt.Errorf("min_version: %q is neither 1.2 nor 1.3", text)
}
