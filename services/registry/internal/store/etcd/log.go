package etcd

import (
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// lastWords makes a logger of etcd's kind, which says nothing but why etcd ends the process: what is an error
// for a request comes back as one, and etcd also calls errors what happens at every stop.
func lastWords(log *slog.Logger) *zap.Logger { return zap.New(lastWordsCore{log}) }

type lastWordsCore struct{ log *slog.Logger }

func (c lastWordsCore) Enabled(level zapcore.Level) bool { return level >= zapcore.PanicLevel }

// With implements zapcore.Core. What etcd says of itself, such as its name, is of no use here.
func (c lastWordsCore) With([]zapcore.Field) zapcore.Core { return c }

// Check implements zapcore.Core.
func (c lastWordsCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c lastWordsCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	cause := ""
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			cause = err.Error()
		}
	}
	c.log.Error("etcd can't go on", "reason", entry.Message, "error", cause)
	return nil
}

// Sync implements zapcore.Core.
func (c lastWordsCore) Sync() error { return nil }
