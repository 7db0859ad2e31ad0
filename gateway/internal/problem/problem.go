// Package problem is the one shape in which the REST API says that something went wrong: problem details (RFC 9457).
package problem

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"eventprospect/mesh/fault"
)

// MediaType is that of a problem's JSON.
const MediaType = "application/problem+json"

// realm is what a client needs a token for (RFC 6750, section 3).
const realm = `Bearer realm="EventProspect"`

// Problem is the body of every answer that isn't a success, and the error that leads to one.
type Problem struct {
	// Type is always about:blank: the HTTP status says what sort of problem it is (RFC 9457, section 4.2.1), and Reason
	// tells apart what one status lumps together.
	Type string `json:"type"`
	// Title is the status in words.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail says what is wrong this time, and how to mend it.
	Detail string `json:"detail,omitempty"`
	// Reason is a code for programs. It is that of the gRPC error (google.rpc.ErrorInfo), if there was one.
	Reason string `json:"reason"`
	// TraceID finds the request in the traces and the log.
	TraceID string `json:"traceId,omitempty"`
	// Roles are those of which the caller would need one.
	Roles []string `json:"roles,omitempty"`
	// Errors name what is wrong with each field.
	Errors []FieldError `json:"errors,omitempty"`

	// Header goes with the answer.
	Header http.Header `json:"-"`
}

// FieldError is what is wrong with one field.
type FieldError struct {
	// Field is the JSON key or the query parameter; "body" is the body as a whole.
	Field string `json:"field"`
	// Detail says what is wrong and how to mend it.
	Detail string `json:"detail"`
}

// Error makes a problem an error.
func (p *Problem) Error() string { return strconv.Itoa(p.Status) + " " + p.Detail }

// New makes a problem that stands for no fault: it was found in the HTTP of the request.
func New(status int, reason, detail string) *Problem {
	return &Problem{
		Type: "about:blank", Title: title(status), Status: status,
		Detail: detail, Reason: reason, Header: http.Header{},
	}
}

// With adds a header field to the answer.
func (p *Problem) With(name, value string) *Problem {
	p.Header.Set(name, value)
	return p
}

// From finds the problem in an error, or makes it of the fault in it. Anything else is a defect, and tells nothing.
func From(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Internal, "")
	}
	return ofFault(f)
}

func ofFault(f *fault.Error) *Problem {
	a := answers[f.Kind]
	p := New(a.status, a.reason, f.Message)
	for _, v := range f.Violations {
		p.Errors = append(p.Errors, FieldError(v))
	}
	if f.RetryAfter > 0 {
		p.Header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	switch f.Kind {
	case fault.Internal:
		p.Detail = "something went wrong on our side"
	case fault.Unauthenticated:
		// A quote would end the parameter.
		reason := strings.ReplaceAll(f.Message, `"`, "'")
		p.Header.Set("WWW-Authenticate", realm+`, error="invalid_token", error_description="`+reason+`"`)
	case fault.Denied:
		p.Roles = f.Roles
		p.Header.Set("WWW-Authenticate", realm+`, error="insufficient_scope"`)
	}
	return p
}

// NoToken is the problem of a request that doesn't try to say who is calling. The challenge names no error then (RFC
// 6750, section 3.1).
func NoToken() *Problem {
	f := fault.New(fault.Unauthenticated, "a bearer token is required")
	return ofFault(f).With("WWW-Authenticate", realm)
}

// Write sends the problem.
func (p *Problem) Write(w http.ResponseWriter) {
	header := w.Header()
	// These are of an answer that was about to be given instead.
	for _, name := range []string{"Content-Length", "ETag", "Location"} {
		header.Del(name)
	}
	for name, values := range p.Header {
		header[name] = values
	}
	header.Set("Content-Type", MediaType)
	w.WriteHeader(p.Status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// The client may be gone; there is nobody left to tell.
	_ = encoder.Encode(p)
}
