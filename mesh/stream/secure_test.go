package stream

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

// newSecureBroker is a Kafka that wants a certificate of the authority from every client.
func newSecureBroker(t *testing.T, ca *meshtest.Authority) Config {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{ca.Certificate(authority.Leaf{Names: []string{"127.0.0.1"}})},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	cfg := Defaults("things")
	cfg.Brokers = cluster.ListenAddrs()
	return cfg
}

func TestMessagesGoByTLS(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	cfg := newSecureBroker(t, ca)
	cfg.TLS = ca.Files("prospect").Client()
	wantCarried(t, cfg)
}

func TestKafkaRefusesWhoIsNotKnown(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	cfg := newSecureBroker(t, ca)
	strangers := ca.Files("prospect")
	strangers.Trust(meshtest.NewAuthority(t))
	for name, c := range map[string]struct {
		tls  mtls.ClientConfig
		want string
	}{
		"no certificate":    {mtls.ClientConfig{Enabled: true, CAFile: ca.Files("x").CA}, "certificate required"},
		"another authority": {strangers.Client(), "unknown authority"},
	} {
		cfg.TLS = c.tls
		relay, err := NewRelay(&queue{}, cfg, "/thing", telling(t, quiet(t)))
		if err != nil {
			t.Fatal(err)
		}
		if err := relay.Ready(within(t)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
		relay.client.Close()
	}
}

func TestBadFilesAreAnError(t *testing.T) {
	t.Parallel()
	cfg := Defaults("things")
	cfg.TLS = mtls.ClientConfig{Enabled: true, CAFile: "nowhere"}
	if _, err := NewRelay(&queue{}, cfg, "/thing", telling(t, quiet(t))); err == nil || !strings.Contains(err.Error(), "kafka.tls.ca_file: ") {
		t.Errorf("error %v", err)
	}
}
