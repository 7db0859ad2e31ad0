package stream

import (
	"errors"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"eventprospect/mesh/conf"
)

// The SASL mechanisms: PLAIN (RFC 4616) sends the password, SCRAM (RFC 5802, RFC 7677) proves that it is known.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
)

// SASLConfig is who a process is to the brokers, if they ask by SASL. Its zero value is nobody.
type SASLConfig struct {
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Empty: no SASL.
	Mechanism string      `koanf:"mechanism"`
	User      string      `koanf:"user"`
	Password  conf.Secret `koanf:"password"`
}

// validate names every setting that can't work, or that would tell the password to the network.
func (c SASLConfig) validate(tls bool, brokers []string) []error {
	var errs []error
	switch c.Mechanism {
	case "":
		if c.User != "" || c.Password != "" {
			errs = append(errs, fmt.Errorf("sasl.mechanism: must be %s, %s or %s where sasl.user or sasl.password is set",
				mechanismPlain, mechanismScram256, mechanismScram512))
		}
		return errs
	case mechanismPlain:
		if !tls && !onLoopback(brokers) {
			errs = append(errs, fmt.Errorf("sasl.mechanism: %s sends the password as it is: set tls.enabled, or use %s", mechanismPlain, mechanismScram512))
		}
	case mechanismScram256, mechanismScram512:
	default:
		errs = append(errs, fmt.Errorf("sasl.mechanism: %q is none of %s, %s, %s", c.Mechanism, mechanismPlain, mechanismScram256, mechanismScram512))
	}
	if c.User == "" {
		errs = append(errs, errors.New("sasl.user: must not be empty where sasl.mechanism is set"))
	}
	if c.Password == "" {
		errs = append(errs, errors.New("sasl.password: must not be empty where sasl.mechanism is set"))
	}
	return errs
}

// onLoopback tells whether all hosts are this machine.
func onLoopback(brokers []string) bool {
	for _, broker := range brokers {
		host, _, err := net.SplitHostPort(broker)
		if err != nil {
			host = broker
		}
		if host != "localhost" && !net.ParseIP(host).IsLoopback() {
			return false
		}
	}
	return true
}

// mechanism gives the client's side of the mechanism; nil if there is none.
func (c SASLConfig) mechanism() sasl.Mechanism {
	switch c.Mechanism {
	case mechanismPlain:
		return plain.Auth{User: c.User, Pass: c.Password.Reveal()}.AsMechanism()
	case mechanismScram256:
		return scram.Auth{User: c.User, Pass: c.Password.Reveal()}.AsSha256Mechanism()
	case mechanismScram512:
		return scram.Auth{User: c.User, Pass: c.Password.Reveal()}.AsSha512Mechanism()
	}
	return nil
}
