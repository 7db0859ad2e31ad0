package stream

import (
	"log/slog"
	"strings"
	"sync"

	"eventprospect/mesh/telemetry"
)

// journalled keeps what is logged.
type journalled struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *journalled) logger() *slog.Logger { return telemetry.NewLog(l, "test", slog.LevelInfo) }

func (l *journalled) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *journalled) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count counts the lines of a level; "" for all.
func (l *journalled) count(level string) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		if level == "" || strings.Contains(line, `"level":"`+level+`"`) {
			n++
		}
	}
	return n
}
