package app

import (
	"log/slog"
	"net/http"
	"slices"

	"eventprospect/services/registry/internal/eureka"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/web"
	"eventprospect/services/registry/internal/xds"
)

// pages are the registry's faces over HTTP: Eureka's REST interface, the bootstrap of xDS clients, and the page for people. Who gets
// to them has passed the gate.
func pages(core *registry.Registry, resources *xds.Server, gate *gate, cfg Config, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	if cfg.Eureka.Enabled {
		mux.Handle("/eureka/", audited(gate.calls(eureka.New(core, cfg.Eureka, log)), log))
	} else {
		mux.Handle("/eureka/", http.NotFoundHandler())
	}
	mux.Handle(xds.BootstrapPath, gate.reads(resources.Bootstrap()))
	mux.Handle("/", gate.reads(web.New(core, web.Defaults())))
	return mux
}

// Routes gives every path that the registry serves over HTTP, as patterns of http.ServeMux: "GET /eureka/apps/{app}".
func Routes() []string {
	return slices.Concat(eureka.Routes(), web.Routes(), []string{http.MethodGet + " " + xds.BootstrapPath})
}
