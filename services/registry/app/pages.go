package app

import (
	"log/slog"
	"net/http"

	"eventprospect/services/registry/internal/eureka"
	"eventprospect/services/registry/internal/registry"
	"eventprospect/services/registry/internal/web"
	"eventprospect/services/registry/internal/xds"
)

// pages are the registry's faces over HTTP: Eureka's REST interface, the bootstrap of xDS clients, and the page for people.
func pages(core *registry.Registry, resources *xds.Server, cfg Config, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/eureka/", eureka.New(core, cfg.Eureka, log))
	mux.Handle("/xds/bootstrap.json", resources.Bootstrap())
	mux.Handle("/", web.New(core, web.Defaults()))
	return mux
}
