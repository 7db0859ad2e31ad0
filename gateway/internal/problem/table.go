package problem

import (
	"net/http"

	"eventprospect/mesh/fault"
)

// statusClientClosedRequest is not of any standard; servers use it in logs and traces for a client that hung up.
const statusClientClosedRequest = 499

// answers is what stands for each kind of fault in HTTP: its status, and the reason that gRPC clients see, too.
var answers = map[fault.Kind]struct {
	status int
	reason string
}{
	fault.Internal:        {http.StatusInternalServerError, "INTERNAL"},
	fault.Invalid:         {http.StatusBadRequest, "INVALID"},
	fault.NotFound:        {http.StatusNotFound, "NOT_FOUND"},
	fault.AlreadyExists:   {http.StatusConflict, "ALREADY_EXISTS"},
	fault.Stale:           {http.StatusPreconditionFailed, "ETAG_MISMATCH"},
	fault.Precondition:    {http.StatusConflict, "FAILED_PRECONDITION"},
	fault.Unauthenticated: {http.StatusUnauthorized, "UNAUTHENTICATED"},
	fault.Denied:          {http.StatusForbidden, "ROLE_MISSING"},
	fault.Exhausted:       {http.StatusTooManyRequests, "EXHAUSTED"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "UNAVAILABLE"},
	fault.Timeout:         {http.StatusGatewayTimeout, "TIMEOUT"},
	fault.Canceled:        {statusClientClosedRequest, "CANCELED"},
	fault.Unimplemented:   {http.StatusNotImplemented, "UNIMPLEMENTED"},
}

func title(status int) string {
	if status == statusClientClosedRequest {
		return "Client Closed Request"
	}
	return http.StatusText(status)
}
