package mesh_test

import (
	"context"
	"errors"
	"net/http"
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
	checkAdmin(t, process, "/readyz", http.StatusServiceUnavailable, `{"kafka":"ready","store":"not ready"}`)
	checkAdmin(t, process, "/livez", http.StatusOK, `{"process":"alive"}`)
	away.Store(false)
	checkAdmin(t, process, "/readyz", http.StatusOK, `{"kafka":"ready","store":"ready"}`)
}

func checkAdmin(t *testing.T, process *meshtest.Process, path string, wantCode int, wantBody string) {
	t.Helper()
	code, body := get(t, http.DefaultClient, "http://"+process.Admin+path)
	if code != wantCode || strings.TrimSpace(body) != wantBody {
		t.Errorf("%s: %d %s, want %d %s", path, code, body, wantCode, wantBody)
	}
}
