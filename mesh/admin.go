package mesh

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// checkTimeout bounds each check of readiness.
const checkTimeout = 2 * time.Second

// readiness is the list of conditions under which the process can do its work.
type readiness struct {
	mu     sync.Mutex
	checks []check
}

type check struct {
	name string
	run  func(context.Context) error
}

func (c check) holds(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	return c.run(ctx)
}

func (r *readiness) add(name string, run func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks = append(r.checks, check{name, run})
}

// report runs every check, all at once, and tells which hold. Why one fails is for the log: the port may be open to many.
func (r *readiness) report(ctx context.Context) (states map[string]string, all bool) {
	r.mu.Lock()
	checks := r.checks
	r.mu.Unlock()
	held := make([]bool, len(checks))
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() { held[i] = c.holds(ctx) == nil })
	}
	running.Wait()
	states, all = make(map[string]string, len(checks)), true
	for i, c := range checks {
		states[c.name] = "ready"
		if !held[i] {
			states[c.name], all = "not ready", false
		}
	}
	return states, all
}

// serveAdmin serves liveness, readiness and metrics: /livez is 200 as long as the process answers at all, /readyz is 503 while a
// condition doesn't hold, and names each.
func (a *App) serveAdmin(listener net.Listener) {
	// A mux of its own: libraries register pages of all kinds with http.DefaultServeMux.
	mux := http.NewServeMux()
	for pattern, answer := range adminRoutes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { answer(a, w, r) })
	}
	var secure *tls.Config
	if a.config.TLS.Server.Admin {
		secure = a.server.Admin()
	}
	a.serveHTTP("admin server", newHTTPServer(mux), listener, secure)
}

func adminRoutes() map[string]func(*App, http.ResponseWriter, *http.Request) {
	return map[string]func(*App, http.ResponseWriter, *http.Request){
		"GET /livez": (*App).tellAlive, "GET /readyz": (*App).tellReady, "GET /metrics": (*App).tellMetrics,
	}
}

// AdminRoutes gives every path of an admin port, as patterns of http.ServeMux. None asks for a token.
func AdminRoutes() []string { return slices.Sorted(maps.Keys(adminRoutes())) }

func (a *App) tellAlive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"process": "alive"})
}

func (a *App) tellReady(w http.ResponseWriter, r *http.Request) {
	states, all := a.ready.report(r.Context())
	code := http.StatusOK
	if !all {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, states)
}

func (a *App) tellMetrics(w http.ResponseWriter, r *http.Request) { a.Metrics.Handler.ServeHTTP(w, r) }

func writeJSON(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(value)
}
