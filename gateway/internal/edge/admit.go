package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"eventprospect/gateway/internal/problem"
	"eventprospect/gateway/internal/query"
	"eventprospect/gateway/internal/route"
	"eventprospect/mesh/fault"
)

// call is what is known of a request once its route is found.
type call struct {
	route *route.Route
	path  string // as the client wrote it, without a slash at its end
	body  []byte
	etag  string // what If-Match asks for; empty: nothing
}

type callKey struct{}

// callOf finds the call that a context belongs to; nil before a route was found.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// admitted checks a request whose route was found, before it is transcoded. Generated code would pass over much of what
// is refused here, and say the rest in words of its own.
func (e *edge) admitted(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, variables map[string]string) {
		pattern, _ := runtime.HTTPPattern(r.Context())
		found := e.routes.Find(r.Method, pattern.String())
		if found == nil {
			e.fail(w, r, fmt.Errorf("no contract for the route %s %s", r.Method, pattern))
			return
		}
		nameSpan(r.Context(), found)
		c, err := e.admit(w, r, found, variables)
		if err != nil {
			e.fail(w, r, err)
			return
		}
		next(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)), variables)
	}
}

func (e *edge) admit(w http.ResponseWriter, r *http.Request, found *route.Route, variables map[string]string) (*call, error) {
	c := &call{route: found, path: r.URL.EscapedPath()}
	for name, value := range variables {
		if !utf8.ValidString(value) {
			return nil, fault.InvalidField(found.ClientField(name), "must be UTF-8, percent-encoded")
		}
	}
	parameters, err := query.Parse(r.URL.RawQuery, found)
	if err != nil {
		return nil, err
	}
	// Generated code takes the parameters from here, and doesn't parse again.
	r.Form, r.PostForm = parameters, url.Values{}
	if c.etag, err = ifMatch(r.Header.Values("If-Match"), found); err != nil {
		return nil, err
	}
	if c.body, err = e.readBody(w, r, found); err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	return c, nil
}

// ifMatch reads the header If-Match (RFC 9110, section 13.1.1): one strong etag, or * for whatever there is.
func ifMatch(values []string, found *route.Route) (string, error) {
	if len(values) == 0 {
		return "", nil
	}
	value := strings.TrimSpace(strings.Join(values, ", "))
	if !found.Conditional {
		return "", fault.InvalidField("If-Match", "can't be a condition of this request: leave the header out")
	}
	if value == "*" {
		return "", nil
	}
	etag, opens := strings.CutPrefix(value, `"`)
	etag, closes := strings.CutSuffix(etag, `"`)
	switch {
	case strings.HasPrefix(value, "W/"):
		return "", fault.InvalidField("If-Match", `must be a strong etag, without W/ in front`)
	case !opens || !closes || etag == "":
		return "", fault.InvalidField("If-Match", `must be the etag in double quotes, as in the header ETag, or *`)
	case strings.Contains(etag, `"`):
		return "", fault.InvalidField("If-Match", "must be one etag, not a list")
	case !utf8.ValidString(etag):
		return "", fault.InvalidField("If-Match", "must be UTF-8")
	}
	return etag, nil
}

// readBody reads the body of a request, if there is to be one.
func (e *edge) readBody(w http.ResponseWriter, r *http.Request, found *route.Route) ([]byte, error) {
	if found.Body != nil {
		if err := checkType(r); err != nil {
			return nil, err
		}
	}
	if r.ContentLength > e.MaxBody {
		return nil, e.tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, e.MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, e.tooLarge()
	case err != nil:
		return nil, fault.InvalidField(route.WholeBody, "did not arrive completely").Because(err)
	case found.Body == nil && len(body) > 0:
		return nil, fault.InvalidField(route.WholeBody, "must be empty: this request takes no body")
	}
	return body, nil
}

// checkType accepts JSON, and a request that doesn't say what it sends.
func checkType(r *http.Request) error {
	accepted := []string{"application/json", "application/merge-patch+json"}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("the body must not be compressed: send it without Content-Encoding").With("Accept-Encoding", "identity")
	}
	given := r.Header.Values("Content-Type")
	if len(given) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(given[0])
	if err == nil && len(given) == 1 && slices.Contains(accepted, media) {
		return nil
	}
	p := unsupported("the body must be JSON: send it with Content-Type: application/json")
	if r.Method == http.MethodPatch {
		return p.With("Accept-Patch", strings.Join(accepted, ", "))
	}
	return p.With("Accept", strings.Join(accepted, ", "))
}

func unsupported(detail string) *problem.Problem {
	return problem.New(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", detail)
}

func (e *edge) tooLarge() error {
	detail := fmt.Sprintf("the body must not be longer than %d bytes", e.MaxBody)
	// What is left of the body isn't read, so the connection can't be used again.
	return problem.New(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", detail).With("Connection", "close")
}
