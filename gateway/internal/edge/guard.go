package edge

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"eventprospect/gateway/internal/problem"
	"eventprospect/mesh/auth"
	"eventprospect/mesh/fault"
)

// authenticated lets nobody through whose token isn't good. What they may do is for the services to say.
func (e *edge) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := e.authenticate(r); err != nil {
			e.auditRefusal(r, err)
			e.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (e *edge) authenticate(r *http.Request) error {
	values := r.Header.Values("Authorization")
	switch {
	case len(values) > 1:
		return fault.New(fault.Unauthenticated, "there is more than one authorization header")
	case len(values) == 0 || !triesBearer(values[0]):
		return problem.NoToken()
	}
	token, err := auth.Bearer(values[0])
	if err != nil {
		return err
	}
	_, err = e.Verifier.Verify(r.Context(), token)
	return err
}

// triesBearer tells whether a header means to be a bearer token at all.
func triesBearer(header string) bool {
	scheme, _, _ := strings.Cut(header, " ")
	return strings.EqualFold(scheme, "Bearer")
}

// passed are the headers that the transcoder may see. It would forward a host, addresses, a deadline and more to the services,
// or let them decide what is done. So a client can say neither who it is, but by its token, nor where it calls from.
var passed = []string{"Authorization", "Content-Type", "Content-Encoding", "If-Match"}

// forward hands the transcoder a request that holds nothing but what it is to act on.
func (e *edge) forward(transcoder http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !trimSlash(r.URL) {
			e.fail(w, r, noSuchPath())
			return
		}
		inner := r.Clone(r.Context())
		inner.Header = http.Header{}
		for _, name := range passed {
			if values := r.Header.Values(name); len(values) > 0 {
				inner.Header[name] = values
			}
		}
		// The client's address stays: the transcoder tells it to the services as x-forwarded-for, and there is no such header of
		// the client's own left to which it could be added.
		inner.Host = ""
		if r.Method == http.MethodHead {
			// The HTTP server leaves out the body by itself.
			inner.Method = http.MethodGet
		}
		transcoder.ServeHTTP(w, inner)
	})
}

// trimSlash takes one slash off the end of a path. It returns false if the path has an empty segment besides, or one that
// could be taken for a step in a tree: no route has those, however they are encoded.
func trimSlash(u *url.URL) bool {
	if len(u.Path) > 1 && strings.HasSuffix(u.EscapedPath(), "/") {
		u.RawPath = strings.TrimSuffix(u.RawPath, "/")
		u.Path = strings.TrimSuffix(u.Path, "/")
	}
	path, rooted := strings.CutPrefix(u.EscapedPath(), "/")
	return rooted && !slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool {
		plain, err := url.PathUnescape(segment)
		return err != nil || plain == "" || plain == "." || plain == ".."
	})
}

func noSuchPath() *problem.Problem {
	return problem.New(http.StatusNotFound, "NO_SUCH_PATH", "there is nothing at this path")
}
