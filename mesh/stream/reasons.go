package stream

import (
	"errors"
	"log/slog"

	"eventprospect/mesh/fault"
)

// reasons is what was told of a trouble. As long as it lasts each reason is logged once, however often it is met.
type reasons map[string]bool

// tell logs a trouble, by Warn or Error of a log, unless its reason was told before. A reason is in the same words each time.
func (r reasons) tell(log func(msg string, args ...any), trouble, reason string, err any) {
	if !r[reason] {
		r[reason] = true
		log(trouble, "error", err)
	}
}

// over logs that the trouble is over, if it was told of.
func (r reasons) over(log *slog.Logger, what string) {
	if len(r) > 0 {
		clear(r)
		log.Info(what)
	}
}

// same gives an error in the same words each time, though its cause may tell an own port, which changes with each attempt.
func same(err error, cfg Config) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return why(err, cfg)
}
