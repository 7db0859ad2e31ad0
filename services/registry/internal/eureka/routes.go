package eureka

import "net/http"

// routes tells which call answers what; each path is served with and without a slash at its end.
func (f *face) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, answer := range map[string]call{
		"GET /apps":            f.listApps,
		"GET /apps/delta":      f.listDelta,
		"GET /apps/{app}":      f.getApp,
		"GET /apps/{app}/{id}": f.getInstance,
		"GET /instances/{id}":  f.findInstance,
		"GET /vips/{vip}":      f.listVIP,
		"GET /svips/{vip}":     f.listSecureVIP,

		"POST /apps/{app}":                f.postInstance,
		"PUT /apps/{app}/{id}":            f.putLease,
		"DELETE /apps/{app}/{id}":         f.deleteInstance,
		"PUT /apps/{app}/{id}/status":     f.putStatus,
		"DELETE /apps/{app}/{id}/status":  f.deleteStatus,
		"PUT /apps/{app}/{id}/metadata":   f.putMetadata,
		"POST /peerreplication/batch":     f.postBatch,
		"PUT /asg/{name}/status":          noASG,
		"GET /status":                     f.getStatus,
		"GET /serverinfo/statusoverrides": f.listOverrides,
	} {
		mux.HandleFunc(pattern, f.serve(answer))
		mux.HandleFunc(pattern+"/{$}", f.serve(answer))
	}
	return mux
}

// call answers one call, or fails with a fault or a refusal.
type call func(w http.ResponseWriter, r *http.Request) error

func (f *face) serve(answer call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := answer(w, r); err != nil {
			f.fail(w, r, err)
		}
	}
}
