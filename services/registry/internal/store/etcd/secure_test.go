package etcd

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"eventprospect/mesh/fault"
	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
)

// newSecureMember runs an etcd that wants a certificate of the authority from every client, and gives its host and port.
func newSecureMember(t *testing.T, ca *meshtest.Authority) string {
	t.Helper()
	files, host := ca.Files("127.0.0.1"), meshtest.FreeAddress(t)
	cfg := alone(t.TempDir(), quiet())
	at := []url.URL{{Scheme: "https", Host: host}}
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = at, at
	cfg.ClientTLSInfo = transport.TLSInfo{CertFile: files.Cert, KeyFile: files.Key, TrustedCAFile: files.CA, ClientCertAuth: true}
	server, err := embed.StartEtcd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	select {
	case <-server.Server.ReadyNotify():
	case <-within(t).Done():
		t.Fatal("not ready")
	}
	return host
}

func TestAClusterIsReachedByTLS(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	host, files := newSecureMember(t, ca), ca.Files("registry")
	client := func(cfg mtls.ClientConfig, log *slog.Logger) *mtls.Client {
		c, err := mtls.NewClient(cfg, tls.VersionTLS12, log)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	s, err := Connect(within(t), "etcds://"+host+"/x", client(files.Client(), quiet()), quiet())
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, s)
	create(t, s, "a")

	var refused sync.WaitGroup
	wrong := meshtest.NewAuthority(t).Files("registry")
	for name, cfg := range map[string]mtls.ClientConfig{
		"no certificate":          {Enabled: true, CAFile: files.CA},
		"an authority of another": wrong.Client(),
		"this machine's trust":    {Enabled: true},
	} {
		var text bytes.Buffer
		secure := client(cfg, slog.New(slog.NewTextHandler(&text, nil)))
		refused.Go(func() {
			// It may pass: somebody may still replace a file.
			if _, err := Connect(within(t), "etcds://"+host+"/x", secure, quiet()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s: error %v", name, err)
			}
			if said := strings.Contains(text.String(), "unknown authority"); said != (name != "no certificate") {
				t.Errorf("%s: the log says %q", name, &text)
			}
		})
	}
	refused.Wait()
	if _, err := Connect(within(t), "etcds://"+host+"/x", nil, quiet()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without settings: error %v", err)
	}
}
