package mesh_test

import (
	"bytes"
	"log/slog"
	"sync"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// lines are a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func insecureCredentials() credentials.TransportCredentials { return insecure.NewCredentials() }
