package app

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"

	"eventprospect/mesh/fault"
)

// refuse answers whom the gate doesn't let in, in words that tell what to send, or what to set here.
func (g *gate) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Internal, "something went wrong on our side")
	}
	head := w.Header()
	status, text := http.StatusInternalServerError, f.Message
	switch f.Kind {
	case fault.Unauthenticated:
		// Without a password there is no point in a browser's asking for one.
		if status = http.StatusUnauthorized; g.password != "" {
			head.Add("WWW-Authenticate", `Basic realm="registry", charset="UTF-8"`)
		}
		head.Add("WWW-Authenticate", `Bearer realm="EventProspect"`)
		text = g.explain(r, f)
	case fault.Denied:
		status = http.StatusForbidden
	case fault.Unavailable:
		status = http.StatusServiceUnavailable
		head.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(f.RetryAfter.Seconds())))))
	default:
		text = "something went wrong on our side"
	}
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Type", "text/plain; charset=utf-8")
	head.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n") // if that fails, the client is gone
}

// explain tells who gave nothing, or a password, what would do.
func (g *gate) explain(r *http.Request, f *fault.Error) string {
	_, _, basic := r.BasicAuth()
	given := r.Header.Values("Authorization")
	switch {
	case len(given) > 1 || len(given) == 1 && !basic:
		return f.Message
	case g.password == "":
		return "a bearer token is required: this registry has no password (eureka.password), nor is it open (open_reads, eureka.open_writes)"
	case basic:
		return "wrong user or password"
	}
	return "user and password, or a bearer token, are required: Eureka clients have the former in the address, http://user:password@host/eureka/"
}
