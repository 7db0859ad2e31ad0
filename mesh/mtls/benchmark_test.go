package mtls

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"eventprospect/mesh/mtls/authority"
)

// BenchmarkLook is what the first connection of a second pays for, when the files haven't changed.
func BenchmarkLook(b *testing.B) {
	ca, err := authority.New("test", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	cert, key, err := ca.Issue(authority.Leaf{Names: []string{"event"}, Until: time.Now().Add(time.Hour)})
	if err != nil {
		b.Fatal(err)
	}
	folder := b.TempDir()
	for name, text := range map[string][]byte{"tls.crt": cert, "tls.key": key, "ca.crt": ca.Certificate()} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	s, err := newSource(paths{
		cert: filepath.Join(folder, "tls.crt"), key: filepath.Join(folder, "tls.key"), authorities: filepath.Join(folder, "ca.crt"),
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.look()
	}
}
