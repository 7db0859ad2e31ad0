package eureka

import (
	"net/http"
	"strconv"
	"strings"
)

// leastPacked is from how many bytes on it pays to compress.
const leastPacked = 1024

// formOf gives the form that a client asks for: JSON only if it says so, XML if it says nothing.
func formOf(r *http.Request) form {
	f := asXML
	if strings.Contains(strings.ToLower(r.Header.Get("Accept")), "json") {
		f = asJSON
	}
	if strings.EqualFold(r.Header.Get("X-Eureka-Accept"), "compact") {
		f |= compact
	}
	return f
}

// takesGzip tells whether a client takes gzip (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		if name = strings.TrimSpace(name); strings.EqualFold(name, "gzip") || strings.EqualFold(name, "x-gzip") {
			weight, isWeight := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
			value, err := strconv.ParseFloat(weight, 64)
			return !isWeight || err != nil || value > 0
		}
	}
	return false
}

// write answers a document that was made for this call.
func (f *face) write(w http.ResponseWriter, r *http.Request, status int, plain []byte) {
	writeDocument(w, r, status, formOf(r), newDocument(plain))
}

// writeDocument answers a document. Two clients that ask in different ways are told different things, which a cache between must know.
func writeDocument(w http.ResponseWriter, r *http.Request, status int, f form, d *document) {
	h := w.Header()
	h.Set("Content-Type", "application/xml")
	if f&asJSON != 0 {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Vary", "Accept, Accept-Encoding, X-Eureka-Accept")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	body := d.plain
	if len(body) >= leastPacked && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = d.packed()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // if that fails, the client is gone
	}
}
