//go:build linux

package kafka

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Secure makes a broker ask who comes by SASL, and go by its ACLs. Only who comes in plaintext may do everything: there, users of
// SCRAM and ACLs are made.
type Secure struct {
	// CertFile and KeyFile are PEM: the broker's certificate, and its key in PKCS #8.
	CertFile, KeyFile string
	// Users are those of PLAIN with their passwords, which the broker must know at start.
	Users map[string]string
}

// prepare makes the file that Kafka wants: the certificate and the key in one.
func (s *Secure) prepare(folder string) error {
	key, keyErr := os.ReadFile(s.KeyFile)
	cert, certErr := os.ReadFile(s.CertFile)
	if err := errors.Join(keyErr, certErr); err != nil {
		return err
	}
	return os.WriteFile(keystore(folder), append(key, cert...), 0o600)
}

func keystore(folder string) string { return filepath.Join(folder, "keystore.pem") }

// add adds the listeners and the rights to a broker's settings.
func (s *Secure) add(all settings, b *broker) {
	all["listeners"] += ",SASL_PLAINTEXT://" + b.sasl + ",SASL_SSL://" + b.tls
	all["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
	all["super.users"] = "User:ANONYMOUS"
	all["allow.everyone.if.no.acl.found"] = "false"
	all["ssl.keystore.type"] = "PEM"
	all["ssl.keystore.location"] = keystore(b.folder)
	all["sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
	const modules = "org.apache.kafka.common.security."
	for _, listener := range []string{"sasl_plaintext", "sasl_ssl"} {
		prefix := "listener.name." + listener + "."
		all[prefix+"plain.sasl.jaas.config"] = modules + "plain.PlainLoginModule required" + s.users() + ";"
		all[prefix+"scram-sha-256.sasl.jaas.config"] = modules + "scram.ScramLoginModule required;"
		all[prefix+"scram-sha-512.sasl.jaas.config"] = modules + "scram.ScramLoginModule required;"
	}
}

func (s *Secure) users() string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Users)) {
		fmt.Fprintf(&all, " user_%s=%q", name, s.Users[name])
	}
	return all.String()
}
