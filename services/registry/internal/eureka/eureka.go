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
	"crypto/sha256"
	"crypto/subtle"
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
	// Enabled says whether there is a Eureka face at all; otherwise all its paths answer 404.
	Enabled bool `koanf:"enabled"`
	// User and Password are what clients give by HTTP basic authentication, in practice in the address:
	// http://user:password@registry:8761/eureka/. Without a password everybody in reach may read and register.
	User     string      `koanf:"user"`
	Password conf.Secret `koanf:"password"`
	// ReadOnly refuses every change: Eureka clients find instances here, but register elsewhere.
	ReadOnly bool `koanf:"read_only"`
}

// Default serves everybody in reach.
func Default() Config { return Config{Enabled: true, User: "eureka"} }

// Validate names every setting that can't work.
func (c Config) Validate() error {
	if c.Password == "" {
		return nil
	}
	if c.User == "" {
		return errors.New("user: must be set if there is a password")
	}
	if strings.Contains(c.User, ":") {
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

// New makes the face of a registry, to be mounted at /eureka/.
func New(core *registry.Registry, cfg Config, log *slog.Logger) http.Handler {
	return newFace(core, cfg, log, time.Now).handler()
}

func newFace(core *registry.Registry, cfg Config, log *slog.Logger, now func() time.Time) *face {
	return &face{core: core, view: newView(core, now), cfg: cfg, log: log, now: now, started: now()}
}

// handler serves /eureka/… and /eureka/v2/… alike, as Spring's server does. A page of another site, open in a browser that reaches
// the registry, changes nothing.
func (f *face) handler() http.Handler {
	if !f.cfg.Enabled {
		return http.NotFoundHandler()
	}
	calls := f.routes()
	first, second := http.StripPrefix("/eureka", calls), http.StripPrefix("/eureka/v2", calls)
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/eureka/v2/") {
			second.ServeHTTP(w, r)
			return
		}
		first.ServeHTTP(w, r)
	})
	return http.NewCrossOriginProtection().Handler(f.guard(both))
}

// guard lets only those in who may, and only when there is something to tell: an empty answer of a registry that doesn't know yet
// would make clients forget what they know.
func (f *face) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.admits(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Eureka", charset="UTF-8"`)
			refuse(w, http.StatusUnauthorized, "user and password are needed: put them into the address, http://user:password@host/eureka/")
			return
		}
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

// admits compares in a time that tells nothing of what was expected.
func (f *face) admits(r *http.Request) bool {
	if f.cfg.Password == "" {
		return true
	}
	user, password, _ := r.BasicAuth()
	return same(user, f.cfg.User)&same(password, f.cfg.Password.Reveal()) == 1
}

func same(given, wanted string) int {
	g, w := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(wanted))
	return subtle.ConstantTimeCompare(g[:], w[:])
}
