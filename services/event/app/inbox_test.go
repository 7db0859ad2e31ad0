package app_test

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"eventprospect/mesh/meshtest"
	"eventprospect/services/event/app"
	"eventprospect/services/event/internal/store/sqlite"
)

// TestMessagesAreForgotten has a message come again that was forgotten: its event is there, so that nothing comes of it.
func TestMessagesAreForgotten(t *testing.T) {
	t.Parallel()
	const old, newer, last = "0195f0c8-1111-7000-8000-000000000001", "0195f0c8-1111-7000-8000-000000000002", "0195f0c8-1111-7000-8000-000000000003"
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	p := meshtest.Run(t, "event", cfg, app.Bind)
	publish(t, cfg, old)
	publish(t, cfg, newer)
	awaitHistory(t, p, issuer, 2)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	kept := open(t, cfg)
	age(t, kept, old, cfg.InboxRetention+time.Minute)
	age(t, kept, newer, cfg.InboxRetention-time.Hour)

	p = meshtest.Run(t, "event", cfg, app.Bind)
	awaitKnown(t, kept, newer)
	publish(t, cfg, old)
	publish(t, cfg, last)
	awaitHistory(t, p, issuer, 3)
	awaitKnown(t, kept, old, newer, last)
	if text := metrics(t, p); strings.Contains(text, "messaging_dlq_messages_total{") {
		t.Errorf("a record is on the DLQ:\n%s", text)
	}
}

func TestAnInboxIsKeptForEver(t *testing.T) {
	t.Parallel()
	const old = "0195f0c8-1111-7000-8000-000000000001"
	issuer := meshtest.NewIssuer(t)
	cfg := config(t, issuer)
	cfg.InboxRetention = 0
	p := meshtest.Run(t, "event", cfg, app.Bind)
	publish(t, cfg, old)
	awaitHistory(t, p, issuer, 1)
	kept := open(t, cfg)
	age(t, kept, old, 10*365*24*time.Hour)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	// The next one stops after it has served, which is when others would have forgotten it.
	p = meshtest.Run(t, "event", cfg, app.Bind)
	publish(t, cfg, "0195f0c8-1111-7000-8000-000000000002")
	awaitHistory(t, p, issuer, 2)
	awaitKnown(t, kept, old, "0195f0c8-1111-7000-8000-000000000002")
}

// open opens the store of a service beside it.
func open(t *testing.T, cfg app.Config) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), strings.TrimPrefix(cfg.Store.Reveal(), "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// age has a message look as if it was applied so long ago.
func age(t *testing.T, s *sqlite.Store, message string, by time.Duration) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE inbox SET applied = ? WHERE message_id = ?`, time.Now().Add(-by).UnixMicro(), message)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// awaitKnown waits until these messages are known, in the order of their ids, and no others.
func awaitKnown(t *testing.T, s *sqlite.Store, want ...string) {
	t.Helper()
	for deadline := time.Now().Add(meshtest.Patience); ; time.Sleep(5 * time.Millisecond) {
		var got sql.NullString
		err := s.QueryRow(t.Context(), `SELECT group_concat(message_id, ' ' ORDER BY message_id) FROM inbox`).Scan(&got)
		if err != nil {
			t.Fatal(err)
		}
		if got.String == strings.Join(want, " ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("known are %s, want %s", got.String, want)
		}
	}
}
