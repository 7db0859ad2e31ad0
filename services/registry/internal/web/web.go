// Package web is the registry's page for people: which instances are registered, how they are, and what changed last.
//
// The page works as a plain page; where JavaScript runs, what changes appears by itself, told over server-sent events. It is
// for whom the caller of this package lets through, and shows all that instances say of themselves, with their metadata: nothing
// secret belongs there. It changes nothing.
package web

import (
	"html/template"
	"net/http"
	"slices"
	"time"

	"eventprospect/services/registry/internal/registry"
)

// policy lets the page use what this handler serves, and nothing else. No style or script stands in the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Settings are the page's terms and limits. All must be positive.
type Settings struct {
	// MaxStreams bounds the pages that are told of changes. Each takes one of the registry's watches as well.
	MaxStreams int
	// Heartbeat is how often something is sent on a stream on which nothing happens, so that whatever lies between sees it alive.
	Heartbeat time.Duration
	// Pace is how long a stream rests after each message: what changes meanwhile comes as one.
	Pace time.Duration
}

// Defaults suit a mesh of any size.
func Defaults() Settings {
	return Settings{MaxStreams: 100, Heartbeat: 15 * time.Second, Pace: 500 * time.Millisecond}
}

// site serves everything.
type site struct {
	core     *registry.Registry
	settings Settings
	board    *board
	assets   map[string]asset // by the name under which they are served
	pages    *template.Template
	streams  chan struct{} // holds one element for each stream that is open
}

// New gives the page of a registry, for the root of a server:
//   - GET / shows it. `q` narrows it to the instances that have all these words, `service` to one service with all its instances;
//     `page` counts, from 1, the pages of services or of the one service's instances
//   - GET /changes, with the same parameters, tells what changes in it
//   - GET /assets/… are its style and script.
//
// A stream ends with the context of its request, and when the registry stops.
func New(core *registry.Registry, settings Settings) http.Handler {
	files := loadAssets()
	s := &site{
		core: core, settings: settings, board: newBoard(core), assets: files, pages: parsePages(files),
		streams: make(chan struct{}, settings.MaxStreams),
	}
	mux := http.NewServeMux()
	for path, answer := range routes() {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { answer(s, w, r) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.problem(w, http.StatusNotFound, "There is no such page here.")
	})
	return s.guard(mux)
}

func routes() map[string]func(*site, http.ResponseWriter, *http.Request) {
	return map[string]func(*site, http.ResponseWriter, *http.Request){
		"/{$}": (*site).show, "/changes": (*site).changes, "/assets/{name}": (*site).asset,
	}
}

// Routes gives every path that the page serves, as patterns of http.ServeMux.
func Routes() []string {
	var all []string
	for path := range routes() {
		all = append(all, http.MethodGet+" "+path)
	}
	slices.Sort(all)
	return all
}

// guard refuses what could change something, and says on every answer what a browser may do with it.
func (s *site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			head.Set("Allow", "GET, HEAD")
			s.problem(w, http.StatusMethodNotAllowed, "This page can only be read: use GET.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// show writes the page.
func (s *site) show(w http.ResponseWriter, r *http.Request) {
	v, err := parseView(r.URL.Query())
	if err != nil {
		s.refuse(w, err)
		return
	}
	known, err := s.board.read()
	if err != nil {
		s.refuse(w, err)
		return
	}
	c := clock(time.Now())
	page := page{View: v, Revision: known.revision, AsOf: c.moment(time.Now())}
	scene := s.arrange(v, known, c, r.Host)
	page.Summary, page.Recent = scene.summary.html(), scene.recent.html()
	for _, b := range scene.list {
		page.List = append(page.List, b.html())
	}
	s.write(w, http.StatusOK, "page", page)
}

// page is what the whole page shows.
type page struct {
	View            view
	Revision        int64
	AsOf            moment
	Summary, Recent template.HTML
	List            []template.HTML
}
