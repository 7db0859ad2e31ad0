package eureka

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The bounds of requests, in bytes, compressed and not.
const (
	maxBody = 64 << 10
	// maxBatch holds 250 changes, as many as Netflix's servers put into one.
	maxBatch = 4 << 20
)

// readBody reads a document of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) (*element, error) {
	body, err := readAll(w, r, limit)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || int64(len(body)) > limit {
		return nil, &refusal{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the body has more than %d bytes: shorten its metadata", limit)}
	}
	if err != nil {
		return nil, badBody(err)
	}
	parse := parseXML
	if isJSON(r.Header.Get("Content-Type"), body) {
		parse = parseJSON
	}
	e, err := parse(body)
	if err != nil {
		return nil, badBody(err)
	}
	return e, nil
}

// readAll gives at most one byte more than the limit, however much there would be if it was unpacked.
func readAll(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	var body io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch coding := strings.ToLower(r.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, err
		}
		body = unpacked
	default:
		return nil, &refusal{status: http.StatusUnsupportedMediaType, text: "Content-Encoding: only gzip is known here"}
	}
	return io.ReadAll(io.LimitReader(body, limit+1))
}

// isJSON looks at the body if the header says neither.
func isJSON(contentType string, body []byte) bool {
	switch contentType = strings.ToLower(contentType); {
	case strings.Contains(contentType, "json"):
		return true
	case strings.Contains(contentType, "xml"):
		return false
	default:
		return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{"))
	}
}

// target names the instance that a call is about.
type target struct {
	app, id string
	// replicated tells that another Eureka server passes on what a client has said.
	replicated bool
}

// targetOf gives the instance of a path; without an id, only its application.
func targetOf(r *http.Request) (target, error) {
	t := target{
		app: strings.ToUpper(r.PathValue("app")), id: r.PathValue("id"),
		replicated: strings.EqualFold(r.Header.Get("X-Netflix-Discovery-Replication"), "true"),
	}
	return t, checkNames(t.app, t.id)
}

// dirtyTime reads the parameter lastDirtyTimestamp; zero if it isn't given.
func dirtyTime(text string) (int64, error) {
	if text == "" || text == "null" {
		return 0, nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 {
		return 0, badRequest("lastDirtyTimestamp: must be milliseconds since 1970")
	}
	return number, nil
}
