package certificates

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryProcessCanUseItsFiles(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new")
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range holders {
		cfg := Config(folder, name)
		if err := cfg.Server.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := cfg.Client.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2*(len(holders)+1) {
		t.Errorf("%d files, %v", len(entries), err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(entry.Name(), ".key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s can be read by others: %v", entry.Name(), info.Mode())
		}
	}
}

// Made again, it renews: who trusts the authority need not hear of it.
func TestMadeAgainTheAuthorityStays(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	ca, event := read("ca.crt"), read("event.crt")
	if err := Make(folder); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ca, read("ca.crt")) || bytes.Equal(event, read("event.crt")) {
		t.Error("want the same authority and a new certificate")
	}
	if err := os.Remove(filepath.Join(folder, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if err := Make(folder); err == nil || !bytes.Equal(ca, read("ca.crt")) {
		t.Errorf("without its key the authority was replaced, or error %v", err)
	}
}
