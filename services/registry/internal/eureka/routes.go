package eureka

import (
	"net/http"
	"slices"
	"strings"
)

// The folders that hold the same calls.
const folder, folderV2 = "/eureka", "/eureka/v2"

// calls tells which call answers what; each path is served with and without a slash at its end.
func calls() map[string]call {
	return map[string]call{
		"GET /apps":            (*face).listApps,
		"GET /apps/delta":      (*face).listDelta,
		"GET /apps/{app}":      (*face).getApp,
		"GET /apps/{app}/{id}": (*face).getInstance,
		"GET /instances/{id}":  (*face).findInstance,
		"GET /vips/{vip}":      (*face).listVIP,
		"GET /svips/{vip}":     (*face).listSecureVIP,

		"POST /apps/{app}":                (*face).postInstance,
		"PUT /apps/{app}/{id}":            (*face).putLease,
		"DELETE /apps/{app}/{id}":         (*face).deleteInstance,
		"PUT /apps/{app}/{id}/status":     (*face).putStatus,
		"DELETE /apps/{app}/{id}/status":  (*face).deleteStatus,
		"PUT /apps/{app}/{id}/metadata":   (*face).putMetadata,
		"POST /peerreplication/batch":     (*face).postBatch,
		"PUT /asg/{name}/status":          (*face).putASG,
		"GET /status":                     (*face).getStatus,
		"GET /serverinfo/statusoverrides": (*face).listOverrides,
	}
}

// Routes gives every path that the face serves, as patterns of http.ServeMux.
func Routes() []string {
	var all []string
	for pattern := range calls() {
		method, path, _ := strings.Cut(pattern, " ")
		for _, below := range []string{folder, folderV2} {
			all = append(all, method+" "+below+path, method+" "+below+path+"/{$}")
		}
	}
	slices.Sort(all)
	return all
}

func (f *face) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range calls() {
		mux.HandleFunc(pattern, f.serve(answer))
		mux.HandleFunc(pattern+"/{$}", f.serve(answer))
	}
	return mux
}

// call answers one call, or fails with a fault or a refusal.
type call func(f *face, w http.ResponseWriter, r *http.Request) error

func (f *face) serve(answer call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := answer(f, w, r); err != nil {
			f.fail(w, r, err)
		}
	}
}
