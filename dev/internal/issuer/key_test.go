package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/pkg/op"

	"eventprospect/dev/stack"
)

func TestTokensSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	before := start(t, dir)
	token := before.signIn("ada").text("access_token")
	base, _ := strings.CutSuffix(before.issuer.URL(), "/realms/EventProspect")
	after, err := New(before.issuer.realm, base, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, who, err := after.verify(op.ContextWithIssuer(t.Context(), after.URL()), token); err != nil || who.name != "ada" {
		t.Errorf("after a restart the token is for %v, %v", who, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v; want the key file alone", entries, err)
	}
	if info, err := entries[0].Info(); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key file has mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestBrokenKeyFilesAreNamed(t *testing.T) {
	t.Parallel()
	realm, err := ParseRealm(stack.Realm)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	block := func(content []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: content}))
	}
	for content, want := range map[string]string{
		"rubbish":                "not a PEM file",
		"":                       "not a PEM file",
		block([]byte("rubbish")): "delete it to get a new key",
		block(der):               "not an RSA key",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, keyFile)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(realm, "http://localhost:8180", dir)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q and the path", content, err, want)
		}
		if kept, _ := os.ReadFile(path); string(kept) != content {
			t.Errorf("%q was replaced", content)
		}
	}
}

func TestNewRefusesWhatCantWork(t *testing.T) {
	t.Parallel()
	realm, err := ParseRealm(stack.Realm)
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{"", "localhost:8180", "http://localhost:8180/auth", "ftp://localhost"} {
		if _, err := New(realm, base, ""); err == nil {
			t.Errorf("base %q was accepted", base)
		}
	}
	if _, err := New(Realm{}, "http://localhost:8180", ""); err == nil {
		t.Error("the empty realm was accepted")
	}
	if i, err := New(realm, "http://localhost:8180/", ""); err != nil || i.URL() != "http://localhost:8180/realms/EventProspect" {
		t.Errorf("got %v, %v", i, err)
	}
}
