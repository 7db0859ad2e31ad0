package app

import (
	"path/filepath"
	"strings"
	"testing"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/fault"
)

func TestMigrateMakesTheSchema(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, address string, p *proxy) {
		cfg := Config{Store: conf.Secret(address)}
		for range 2 {
			if err := Migrate(t.Context(), cfg); err != nil {
				t.Fatal(err)
			}
		}
		scheme, _, _ := strings.Cut(address, ":")
		if err := engines[scheme].administer(t.Context(), address, "INSERT INTO inbox (message_id, applied) VALUES ('m', '2026-11-23')"); err != nil {
			t.Errorf("the schema is missing: %v", err)
		}
		p.cut()
		if err := Migrate(t.Context(), cfg); !fault.Is(err, fault.Unavailable) {
			t.Errorf("error %v of a database that is away, want Unavailable", err)
		}
	})
	if err := Migrate(t.Context(), Config{Store: conf.Secret("sqlite:" + filepath.Join(t.TempDir(), "event.db"))}); err != nil {
		t.Error(err)
	}
	if err := Migrate(t.Context(), Config{Store: "oracle:x"}); err == nil {
		t.Error("a store that is none was migrated")
	}
}
