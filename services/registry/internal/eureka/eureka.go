// Package eureka is the registry's Eureka face: version 2 of the REST interface of Netflix's Eureka server, as the clients of Spring,
// Netflix and others speak it.
//
// The application EVENT of Eureka is the service "event" of the mesh. What a Eureka client registers is seen by all other faces, and
// what joined through those is seen here. There is no cache between the registry and the answer: what was changed shows in the next
// answer.
//
// The wire follows Netflix/eureka 2 (com.netflix.eureka.resources and com.netflix.discovery.converters) and the server of Spring
// Cloud Netflix; docs/eureka.md tells the differences.
package eureka

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"eventprospect/mesh/conf"
	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// patience is how long a call waits for a registry that has just started to know what its store holds.
const patience = 2 * time.Second

// Config is what the face is told.
type Config struct {
	// Enabled says whether there is a Eureka face at all; otherwise whoever mounts it answers 404.
	Enabled bool `koanf:"enabled"`
	// User and Password are what clients give by HTTP basic authentication, in practice in the address:
	// http://user:password@registry:8761/eureka/. It opens whatever the registry serves over HTTP, to browsers, too. Without a
	// password only tokens do.
	User     string      `koanf:"user"`
	Password conf.Secret `koanf:"password"`
	// OpenWrites lets everybody in reach register, without password or token.
	OpenWrites bool `koanf:"open_writes"`
	// ReadOnly refuses every change: Eureka clients find instances here, but register elsewhere.
	ReadOnly bool `koanf:"read_only"`
}

// Default serves who has a token: there is no password yet.
func Default() Config { return Config{Enabled: true, User: "eureka"} }

// Validate names every setting that can't work.
func (c Config) Validate() error {
	switch {
	case c.OpenWrites && c.ReadOnly:
		return errors.New("open_writes: must be false if read_only is true")
	case c.Password == "":
		return nil
	case c.OpenWrites:
		return errors.New("open_writes: must be false if there is a password")
	case c.User == "":
		return errors.New("user: must be set if there is a password")
	case strings.Contains(c.User, ":"):
		return errors.New("user: must not contain a colon (RFC 7617, section 2)")
	}
	return nil
}

// face answers the calls.
type face struct {
	core    *registry.Registry
	view    *view
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	started time.Time
}

// New makes the face of a registry, to be mounted at /eureka/ behind whatever judges who calls: the face asks nobody.
func New(core *registry.Registry, cfg Config, log *slog.Logger) http.Handler {
	return newFace(core, cfg, log, time.Now).handler()
}

func newFace(core *registry.Registry, cfg Config, log *slog.Logger, now func() time.Time) *face {
	return &face{core: core, view: newView(core, now), cfg: cfg, log: log, now: now, started: now()}
}

// handler serves /eureka/… and /eureka/v2/… alike, as Spring's server does. A page of another site, open in a browser that reaches
// the registry, changes nothing.
func (f *face) handler() http.Handler {
	routes := f.routes()
	short, long := http.StripPrefix(folder, routes), http.StripPrefix(folderV2, routes)
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, folderV2+"/") {
			long.ServeHTTP(w, r)
			return
		}
		short.ServeHTTP(w, r)
	})
	return http.NewCrossOriginProtection().Handler(f.guard(both))
}

// guard lets calls in only when there is something to tell: an empty answer of a registry that doesn't know yet would make clients
// forget what they know.
func (f *face) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if f.cfg.ReadOnly && !reads {
			refuse(w, http.StatusForbidden, "this registry takes no changes by its Eureka face")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if f.core.Loaded(ctx) != nil {
			f.fail(w, r, fault.Away("the registry's store", patience))
			return
		}
		next.ServeHTTP(w, r)
	})
}
