// Package e2e_test holds the system to its word, from outside: what it promises to clients, and to those who run it.
package e2e_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"io"
	"log/slog"
	"sync"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"eventprospect/dev/stack"
	"eventprospect/dev/system"
	"eventprospect/e2e/client"
)

// world is a running system, its client, and what it said and did.
type world struct {
	*client.Client
	system *system.System
	topic  string
	log    *lockedBuffer
	spans  *tracetest.SpanRecorder
}

// newWorld starts a system on free ports and temporary data for the time of the test. It is as closed as can be.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, system.Config{Closed: true})
}

// newWorldOn starts a system like newWorld, with these stores; empty: SQLite.
func newWorldOn(t *testing.T, eventStore, prospectStore string) *world {
	t.Helper()
	return newWorldOf(t, system.Config{EventStore: eventStore, ProspectStore: prospectStore, Closed: true})
}

// newWorldOf starts a system like newWorld, with settings that differ in this.
func newWorldOf(t *testing.T, cfg system.Config) *world {
	t.Helper()
	return newWorldWith(t, cfg, nil)
}

// newWorldWith starts a system like newWorldOf, for a client that speaks TLS; nil: plaintext.
func newWorldWith(t *testing.T, cfg system.Config, secure *tls.Config) *world {
	t.Helper()
	w := &world{topic: cmp.Or(cfg.Kafka.Topic, "prospect-events"), log: &lockedBuffer{}, spans: tracetest.NewSpanRecorder()}
	cfg.Realm, cfg.Log, cfg.LogLevel = stack.Realm, io.MultiWriter(w.log, t.Output()), slog.LevelDebug
	cfg.Spans = []sdktrace.SpanProcessor{w.spans}
	var err error
	if w.system, err = system.Start(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.system.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	at := w.system.Endpoints
	w.Client, err = client.New(client.Endpoints{
		Gateway: at.Gateway, Issuer: at.Issuer, Event: at.Event, Prospect: at.Prospect, Registry: at.Registry, TLS: secure,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// lockedBuffer keeps what several write at once.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
