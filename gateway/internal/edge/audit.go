package edge

import (
	"errors"
	"net/http"

	"google.golang.org/grpc/codes"

	"eventprospect/gateway/internal/problem"
	"eventprospect/mesh/audit"
	"eventprospect/mesh/rpc"
)

// auditRefusal writes down that somebody was refused who wanted to change something. What is let through here is written down
// by the service that it reaches.
func (e *edge) auditRefusal(r *http.Request, err error) {
	u := *r.URL
	if !trimSlash(&u) {
		return
	}
	found := e.routes.Match(r.Method, u.EscapedPath())
	if found == nil || !audit.Changes(found.RPC) {
		return
	}
	code := codes.Unauthenticated
	var p *problem.Problem
	if !errors.As(err, &p) {
		code = rpc.ToStatus(err).Code()
	}
	audit.Write(r.Context(), e.Log, audit.Entry{
		Method: audit.FullName(found.RPC), Peer: audit.Host(r.RemoteAddr), Code: code,
	})
}
