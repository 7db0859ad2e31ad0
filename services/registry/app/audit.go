package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"

	"eventprospect/mesh/audit"
	"eventprospect/mesh/auth"
)

// caller is who makes a call over HTTP, once that was verified.
type caller struct{ identity *auth.Identity }

type callerKey struct{}

// setCaller tells the audit who calls, if a record is to be made of the call.
func setCaller(ctx context.Context, identity auth.Identity) {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		c.identity = &identity
	}
}

// audited writes a record of each change by Eureka's interface, refused ones too. It stands outside of the gate.
func audited(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !changes(r) {
			next.ServeHTTP(w, r)
			return
		}
		c, answer := &caller{}, &answer{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
		entry := audit.Entry{
			Method: "eureka " + r.Method, Caller: c.identity, Peer: audit.Host(r.RemoteAddr), Code: codeOf(answer.status),
		}
		if entry.Code == codes.OK {
			entry.Resource = pathOf(r)
		}
		audit.Write(r.Context(), log, entry)
	})
}

// changes tells whether a request may change something. A renewal, PUT /apps/{app}/{id}, is a sign of life and no more; every
// client sends one each half minute.
func changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodPost, http.MethodDelete:
		return true
	case http.MethodPut:
		return strings.Count(pathOf(r), "/") > 2
	}
	return false
}

// pathOf gives what the request is about: "apps/EVENT/some-id". It is as the client wrote it, so that it has no line breaks.
func pathOf(r *http.Request) string {
	path := strings.TrimPrefix(strings.Trim(r.URL.EscapedPath(), "/"), "eureka/")
	return strings.TrimPrefix(path, "v2/")
}

// answer notes the status.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// codeOf gives gRPC's name for a status of HTTP (google.rpc.Code has the table).
func codeOf(status int) codes.Code {
	switch status {
	case http.StatusOK, http.StatusNoContent:
		return codes.OK
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusConflict:
		return codes.Aborted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	if status < http.StatusInternalServerError {
		return codes.InvalidArgument
	}
	return codes.Internal
}
