package mesh_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"eventprospect/mesh"
	"eventprospect/mesh/meshtest"
)

func TestReadinessNamesWhatDoesNotHold(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	away.Store(true)
	process := meshtest.Run(t, "event", settings(t), func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		app.Ready("kafka", func(context.Context) error { return nil })
		app.Ready("store", func(context.Context) error {
			if away.Load() {
				return errors.New("dial tcp 10.0.0.1:3306: refused")
			}
			return nil
		})
		return app.ServeGRPC(nothing)
	})
	awaitKeys(t, process)
	checkAdmin(t, process, "/readyz", http.StatusServiceUnavailable, `{"issuer keys":"ready","kafka":"ready","store":"not ready"}`)
	checkAdmin(t, process, "/livez", http.StatusOK, `{"process":"alive"}`)
	away.Store(false)
	checkAdmin(t, process, "/readyz", http.StatusOK, `{"issuer keys":"ready","kafka":"ready","store":"ready"}`)
}

func TestTheAdminPortTellsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "event", settings(t), func(ctx context.Context, app *mesh.App, _ mesh.Config) error {
		counter, err := app.Metrics.Meter("test").Int64Counter("things.made")
		if err != nil {
			return err
		}
		counter.Add(ctx, 3)
		return app.ServeGRPC(nothing)
	})
	_, text := get(t, http.DefaultClient, "http://"+process.Admin+"/metrics")
	for _, want := range []string{"\nthings_made_total 3\n", `service_name="event"`, "\ngo_goroutines ", "\nprocess_cpu_seconds_total "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// Libraries that are linked in register pages with http.DefaultServeMux, which shows too much to be served.
func TestTheAdminPortServesNothingElse(t *testing.T) {
	t.Parallel()
	process := meshtest.Run(t, "event", settings(t), func(_ context.Context, app *mesh.App, _ mesh.Config) error {
		return app.ServeGRPC(nothing)
	})
	if routes := mesh.AdminRoutes(); !slices.Equal(routes, []string{"GET /livez", "GET /metrics", "GET /readyz"}) {
		t.Errorf("routes %v", routes)
	}
	for _, path := range []string{"/", "/metrics/", "/health", "/debug/pprof/", "/debug/vars", "/debug/requests", "/debug/events", "/livez/x"} {
		if code, _ := get(t, http.DefaultClient, "http://"+process.Admin+path); code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, code)
		}
	}
	answer, err := http.Post("http://"+process.Admin+"/livez", "text/plain", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close() // the code is all that counts
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /livez: %d, want 405", answer.StatusCode)
	}
}

func checkAdmin(t *testing.T, process *meshtest.Process, path string, wantCode int, wantBody string) {
	t.Helper()
	code, body := get(t, http.DefaultClient, "http://"+process.Admin+path)
	if code != wantCode || strings.TrimSpace(body) != wantBody {
		t.Errorf("%s: %d %s, want %d %s", path, code, body, wantCode, wantBody)
	}
}
