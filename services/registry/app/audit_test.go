package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"eventprospect/mesh/auth"
)

func TestEurekasChangesAreWrittenDown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path   string
		status         int
		code, resource string // no code: no record
	}{
		{"GET", "/eureka/apps", 200, "", ""},
		{"PUT", "/eureka/apps/EVENT/a", 200, "", ""},
		{"PUT", "/eureka/v2/apps/EVENT/a/", 404, "", ""},
		{"POST", "/eureka/apps/EVENT", 204, "OK", "apps/EVENT"},
		{"POST", "/eureka/v2/apps/EVENT/", 204, "OK", "apps/EVENT"},
		{"POST", "/eureka/apps/EVENT", 400, "INVALID_ARGUMENT", ""},
		{"POST", "/eureka/apps/EVENT", 401, "UNAUTHENTICATED", ""},
		{"DELETE", "/eureka/apps/EVENT/a", 403, "PERMISSION_DENIED", ""},
		{"DELETE", "/eureka/apps/EVENT/a%0Ab", 200, "OK", "apps/EVENT/a%0Ab"},
		{"PUT", "/eureka/apps/EVENT/a/status", 200, "OK", "apps/EVENT/a/status"},
		{"PUT", "/eureka/apps/EVENT/a/metadata", 404, "NOT_FOUND", ""},
		{"POST", "/eureka/peerreplication/batch", 503, "UNAVAILABLE", ""},
	} {
		var out bytes.Buffer
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			setCaller(r.Context(), auth.Identity{Subject: "somebody"})
			w.WriteHeader(c.status)
		})
		audited(next, slog.New(slog.NewJSONHandler(&out, nil))).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, nil))
		if c.code == "" {
			if out.Len() > 0 {
				t.Errorf("%s %s: %s", c.method, c.path, out.String())
			}
			continue
		}
		var got struct{ Audit map[string]string }
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%s %s: %v: %s", c.method, c.path, err, out.String())
		}
		a := got.Audit
		if a["method"] != "eureka "+c.method || a["code"] != c.code || a["resource"] != c.resource || a["subject"] != "somebody" || a["peer"] != "192.0.2.1" {
			t.Errorf("%s %s: %v", c.method, c.path, a)
		}
	}
}
