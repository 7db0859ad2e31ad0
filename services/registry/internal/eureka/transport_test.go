package eureka

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/store/memory"
)

func TestXMLIsWrittenUnlessJSONIsAskedFor(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register(t, "ORDERS", "a", "UP")
	for accept, want := range map[string]string{
		"":                                      "application/xml",
		"*/*":                                   "application/xml",
		"application/xml":                       "application/xml",
		"application/json":                      "application/json",
		"application/json, application/*+json":  "application/json",
		"application/xml, application/JSON;q=1": "application/json",
	} {
		for _, path := range []string{"/apps", "/apps/delta", "/apps/ORDERS", "/apps/ORDERS/a", "/instances/a", "/vips/orders", "/svips/s-orders", "/status"} {
			w := s.do("GET", "/eureka"+path, "", "Accept: "+accept)
			begins := map[string]string{"application/xml": "<", "application/json": "{"}[want]
			if got := w.Header().Get("Content-Type"); w.Code != 200 || got != want || !strings.HasPrefix(w.Body.String(), begins) {
				t.Errorf("%s with %q: %d %s %s", path, accept, w.Code, got, w.Body)
			}
		}
	}
}

func TestTheCompactFormIsAskedForByItsHeader(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register(t, "ORDERS", "a", "UP")
	for header, want := range map[string]bool{"compact": false, "full": true, "": true} {
		got := s.must(t, 200, "GET", "/eureka/apps", "", inJSON, "X-Eureka-Accept: "+header)
		if strings.Contains(got, "leaseInfo") != want || !strings.Contains(got, `"ipAddr":"10.0.0.1"`) {
			t.Errorf("%q: %s", header, got)
		}
	}
}

func TestAnswersAreCompressedForWhoTakesIt(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 10 {
		s.register(t, "ORDERS", fmt.Sprint(i), "UP")
	}
	plain := s.must(t, 200, "GET", "/eureka/apps", "", inJSON)
	for accept, packed := range map[string]bool{"gzip": true, "deflate, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false, "deflate": false, "": false} {
		for range 2 { // written, and kept
			w := s.do("GET", "/eureka/apps", "", inJSON, "Accept-Encoding: "+accept)
			got := w.Body.String()
			if packed != (w.Header().Get("Content-Encoding") == "gzip") {
				t.Errorf("%q: Content-Encoding %q", accept, w.Header().Get("Content-Encoding"))
			}
			if packed {
				reader, err := gzip.NewReader(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				got = readAllOf(t, reader)
			}
			if got != plain || !strings.Contains(w.Header().Get("Vary"), "Accept-Encoding") {
				t.Errorf("%q: %s", accept, got)
			}
		}
	}
}

func TestHeadHasTheHeadersAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.register(t, "ORDERS", "a", "UP")
	get, head := s.do("GET", "/eureka/apps", ""), s.do("HEAD", "/eureka/apps", "")
	if head.Body.Len() != 0 || head.Header().Get("Content-Length") != get.Header().Get("Content-Length") {
		t.Errorf("%v %s", head.Header(), head.Body)
	}
}

func packed(text string) string { return string(pack([]byte(text))) }

func TestRequestsMayBeCompressedAndAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	fit := body("ORDERS", "a", "UP", "1")
	large := strings.Replace(fit, `"status"`, `"x":"`+strings.Repeat("0", maxBody)+`","status"`, 1)
	for name, c := range map[string]struct {
		body, coding string
		status       int
	}{
		"plain":             {fit, "", 204},
		"identity":          {fit, "identity", 204},
		"gzip":              {packed(fit), "gzip", 204},
		"not gzip":          {fit, "gzip", 400},
		"cut":               {packed(fit)[:100], "gzip", 400},
		"another":           {fit, "br", 415},
		"too large":         {large, "", 413},
		"a bomb":            {packed(large), "gzip", 413},
		"too large, packed": {packed(noise(maxBody + 1000)), "gzip", 413},
	} {
		if w := s.do("POST", "/eureka/apps/ORDERS", c.body, bodyJSON, "Content-Encoding: "+c.coding); w.Code != c.status {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := s.do("POST", "/eureka/peerreplication/batch", `{"x":"`+strings.Repeat("0", maxBatch)+`"}`); w.Code != 413 {
		t.Errorf("batch: %d", w.Code)
	}
}

// noise can't be compressed much.
func noise(size int) string {
	text, seed := make([]byte, size), uint32(1)
	for i := range text {
		seed = seed*1664525 + 1013904223
		text[i] = byte(seed >> 24)
	}
	return string(text)
}

func TestTheFaceCanBeClosedToChanges(t *testing.T) {
	t.Parallel()
	readOnly := startWith(t, settings(), Config{Enabled: true, ReadOnly: true})
	readOnly.must(t, 200, "GET", "/eureka/apps", "")
	readOnly.must(t, 200, "HEAD", "/eureka/apps", "")
	for _, call := range []string{"POST /apps/ORDERS", "PUT /apps/ORDERS/a", "DELETE /apps/ORDERS/a", "POST /peerreplication/batch"} {
		method, path, _ := strings.Cut(call, " ")
		readOnly.must(t, 403, method, "/eureka"+path, body("ORDERS", "a", "UP", "1"))
	}
}

func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	for header, status := range map[string]int{"Sec-Fetch-Site: cross-site": 403, "Origin: http://other.example": 403, "Sec-Fetch-Site: same-origin": 204} {
		s.must(t, status, "POST", "http://registry.example/eureka/apps/ORDERS", body("ORDERS", "a", "UP", "1"), header)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cfg Config
		ok  bool
	}{
		{Default(), true},
		{Config{}, true},
		{Config{Enabled: true, User: "u", Password: "p"}, true},
		{Config{Enabled: true, Password: "p"}, false},
		{Config{Enabled: true, User: "a:b", Password: "p"}, false},
		{Config{Enabled: true, OpenWrites: true}, true},
		{Config{Enabled: true, OpenWrites: true, User: "u", Password: "p"}, false},
		{Config{Enabled: true, OpenWrites: true, ReadOnly: true}, false},
	} {
		if err := c.cfg.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.cfg, err)
		}
	}
}

func TestLimitsOfTheRegistryMakeClientsTryAgain(t *testing.T) {
	t.Parallel()
	few := settings()
	few.MaxInstances = 1
	s := startWith(t, few, Default())
	s.register(t, "ORDERS", "a", "UP")
	w := s.do("POST", "/eureka/apps/ORDERS", body("ORDERS", "b", "UP", "1"))
	if w.Code != 503 || w.Header().Get("Retry-After") != "5" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	s.register(t, "ORDERS", "a", "DOWN") // it is there already
	s.core.Stop()
	for _, call := range []string{"GET /apps", "GET /apps/delta", "GET /apps/ORDERS", "GET /vips/x", "GET /instances/a", "POST /apps/ORDERS"} {
		method, path, _ := strings.Cut(call, " ")
		s.must(t, 503, method, "/eureka"+path, body("ORDERS", "a", "UP", "1"))
	}
}

// An empty list of a registry that doesn't know yet would make clients forget what they know.
func TestARegistryThatKnowsNothingYetSaysNothing(t *testing.T) {
	t.Parallel()
	core := registry.New(settings(), memory.New(), registry.Node{Name: "a", Run: "1"}) // not run
	s := faceOf(core, Default())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/eureka/apps", nil))
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestFaultsShowNothingOfTheInside(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f := &face{log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, kind := range fault.Kinds() {
		w := httptest.NewRecorder()
		f.fail(w, httptest.NewRequest(http.MethodGet, "/apps", nil), fault.New(kind, "shown").Because(fmt.Errorf("secret path")))
		if strings.Contains(w.Body.String(), "secret") || w.Code < 400 {
			t.Errorf("%v: %d %s", kind, w.Code, w.Body)
		}
		if kind == fault.Internal && (strings.Contains(w.Body.String(), "shown") || !strings.Contains(log.String(), "secret path")) {
			t.Errorf("%s; log %s", w.Body, &log)
		}
	}
	w := httptest.NewRecorder()
	f.fail(w, httptest.NewRequest(http.MethodGet, "/apps", nil), context.DeadlineExceeded)
	if w.Code != 503 {
		t.Errorf("deadline: %d", w.Code)
	}
}
