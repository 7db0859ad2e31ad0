package eureka

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"eventprospect/mesh/fault"
)

// refusal is an error whose status and text are Netflix's own, because clients know them.
type refusal struct {
	status int
	text   string
	entity *info // what the registry knows instead; nil if nothing
}

func (e *refusal) Error() string { return e.text }

func badRequest(text string) error { return &refusal{status: http.StatusBadRequest, text: text} }

// fail answers an error. What is unknown is answered without a body: Netflix's client reads any body of an answer to a renewal
// as an instance.
func (f *face) fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	if errors.As(err, &known) {
		if known.entity != nil {
			f.write(w, r, known.status, renderInstance(formOf(r), known.entity))
			return
		}
		refuse(w, known.status, known.text)
		return
	}
	status, text := statusOf(err)
	if status == http.StatusInternalServerError {
		f.log.ErrorContext(r.Context(), "eureka_call_failed", "method", r.Method, "error", err)
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(pause(err)))
	}
	refuse(w, status, text)
}

func refuse(w http.ResponseWriter, status int, text string) {
	if status == http.StatusNotFound || text == "" {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // if that fails, the client is gone
}

// statusOf gives a fault's status and a text that is safe to show. A client takes 503 as a word of this server alone: it turns to
// another, or tries again.
func statusOf(err error) (int, string) {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Internal, "")
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			f = fault.New(fault.Timeout, "the call took too long")
		}
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusBadRequest, f.Message
	case fault.NotFound:
		return http.StatusNotFound, ""
	case fault.Precondition:
		return http.StatusForbidden, f.Message
	case fault.Exhausted, fault.Unavailable, fault.Timeout, fault.Canceled, fault.AlreadyExists, fault.Stale:
		return http.StatusServiceUnavailable, f.Message
	default:
		return http.StatusInternalServerError, "the registry has failed: its log tells why"
	}
}

// pause is when to try again, in whole seconds.
func pause(err error) int {
	var f *fault.Error
	if !errors.As(err, &f) || f.RetryAfter < time.Second {
		return 1
	}
	return int(math.Ceil(f.RetryAfter.Seconds()))
}
