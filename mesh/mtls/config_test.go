package mtls_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/meshtest"
	"eventprospect/mesh/mtls"
	"eventprospect/mesh/mtls/authority"
)

// beginnings gives the settings that an error names, one a line.
func beginnings(err error) string {
	if err == nil {
		return ""
	}
	var names []string
	for line := range strings.Lines(err.Error()) {
		name, _, _ := strings.Cut(line, ": ")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func TestServerSettings(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	files, others := ca.Files("event"), ca.Files("event")
	for name, c := range map[string]struct {
		change func(*mtls.ServerConfig)
		want   string
	}{
		"good":                   {func(*mtls.ServerConfig) {}, ""},
		"nothing":                {func(c *mtls.ServerConfig) { *c = mtls.ServerConfig{} }, ""},
		"no client's authority":  {func(c *mtls.ServerConfig) { c.ClientCAFile = "" }, ""},
		"1.2 for strangers":      {func(c *mtls.ServerConfig) { c.ClientCAFile, c.MinVersion = "", "1.2" }, ""},
		"1.3 in so many words":   {func(c *mtls.ServerConfig) { c.MinVersion = "1.3" }, ""},
		"1.2 within the mesh":    {func(c *mtls.ServerConfig) { c.MinVersion = "1.2" }, "min_version"},
		"an unknown version":     {func(c *mtls.ServerConfig) { c.MinVersion = "TLS1.2" }, "min_version"},
		"no key":                 {func(c *mtls.ServerConfig) { c.KeyFile = "" }, "key_file"},
		"no certificate":         {func(c *mtls.ServerConfig) { c.CertFile = "" }, "key_file client_ca_file"},
		"admin in plaintext":     {func(c *mtls.ServerConfig) { *c = mtls.ServerConfig{Admin: true} }, "admin"},
		"files that aren't":      {func(c *mtls.ServerConfig) { c.CertFile, c.KeyFile, c.ClientCAFile = "a", "b", "c" }, "cert_file key_file client_ca_file"},
		"another's key":          {func(c *mtls.ServerConfig) { c.KeyFile = others.Key }, "cert_file, key_file"},
		"a key for a cert":       {func(c *mtls.ServerConfig) { c.CertFile = c.KeyFile }, "cert_file, key_file"},
		"a key for an authority": {func(c *mtls.ServerConfig) { c.ClientCAFile = c.KeyFile }, "client_ca_file"},
	} {
		cfg := files.Server()
		c.change(&cfg)
		if got := beginnings(cfg.Validate()); got != c.want {
			t.Errorf("%s: refused for %q, want %q", name, got, c.want)
		}
	}
}

func TestClientSettings(t *testing.T) {
	t.Parallel()
	files := meshtest.NewAuthority(t).Files("event")
	for name, c := range map[string]struct {
		change func(*mtls.ClientConfig)
		want   string
	}{
		"good":                  {func(*mtls.ClientConfig) {}, ""},
		"nothing":               {func(c *mtls.ClientConfig) { *c = mtls.ClientConfig{} }, ""},
		"this machine's trust":  {func(c *mtls.ClientConfig) { *c = mtls.ClientConfig{Enabled: true} }, ""},
		"files, but no TLS":     {func(c *mtls.ClientConfig) { c.Enabled = false }, "ca_file cert_file key_file"},
		"no key":                {func(c *mtls.ClientConfig) { c.KeyFile = "" }, "key_file"},
		"no certificate":        {func(c *mtls.ClientConfig) { c.CertFile = "" }, "cert_file"},
		"an authority's folder": {func(c *mtls.ClientConfig) { c.CAFile = t.TempDir() }, "ca_file"},
	} {
		cfg := files.Client()
		c.change(&cfg)
		if got := beginnings(cfg.Validate()); got != c.want {
			t.Errorf("%s: refused for %q, want %q", name, got, c.want)
		}
	}
}

// What is over is refused at the start, not by each who is called later.
func TestAnExpiredCertificateIsRefused(t *testing.T) {
	t.Parallel()
	ca := meshtest.NewAuthority(t)
	files := ca.Files("event")
	files.Renew(ca, authority.Leaf{Names: []string{"event"}, Until: time.Now().Add(-time.Minute)})
	if err := files.Server().Validate(); beginnings(err) != "cert_file" || !strings.Contains(err.Error(), "expired at") {
		t.Errorf("error %v", err)
	}
}

// One that can't be read among several authorities would be missed when certificates of it come.
func TestEveryAuthorityMustBeReadable(t *testing.T) {
	t.Parallel()
	files := meshtest.NewAuthority(t).Files("event")
	good, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	files.Write(files.CA, append(good, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"...))
	if err := files.Client().Validate(); beginnings(err) != "ca_file" {
		t.Errorf("error %v", err)
	}
}

func TestNoErrorTellsTheKey(t *testing.T) {
	t.Parallel()
	files := meshtest.NewAuthority(t).Files("event")
	key, err := os.ReadFile(files.Key)
	if err != nil {
		t.Fatal(err)
	}
	files.Write(files.Key, key[:len(key)/2])
	err = files.Server().Validate()
	if err == nil || strings.Contains(err.Error(), string(key[40:60])) {
		t.Errorf("error %v", err)
	}
}
