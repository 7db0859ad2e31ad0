package web

import (
	"html/template"
	"net/url"
	"strconv"
	"sync"

	"eventprospect/services/registry/internal/registry"
)

const (
	// maxServices, maxRows and maxRowsOfOne bound what one page shows: services, rows of each, and rows where there is only one service.
	maxServices  = 50
	maxRows      = 50
	maxRowsOfOne = 200
)

// block is a part of the page that is replaced as one.
type block struct {
	id string
	// state is equal as long as the block is.
	state any
	// revision is that of the last change in it; zero if nobody knows.
	revision int64
	html     func() template.HTML
}

// memo is a text that is made once, when it is needed.
type memo struct {
	once sync.Once
	html template.HTML
}

func (m *memo) get(render func() template.HTML) template.HTML {
	m.once.Do(func() { m.html = render() })
	return m.html
}

// scene is a page in parts.
type scene struct {
	summary, recent block
	list            []block // of services, in order; or one that says that there is nothing to show
	// found is what the page shows, in words.
	found string
}

// all gives every block.
func (s scene) all() []block { return append([]block{s.summary, s.recent}, s.list...) }

// tally counts instances by status.
type tally struct {
	services, instances int
	by                  [registry.Unknown + 1]int
}

// count gives the tally of instances of one service.
func count(instances []registry.Instance) tally {
	t := tally{services: 1, instances: len(instances)}
	for n := range instances {
		t.by[instances[n].Status()]++
	}
	return t
}

func (t *tally) add(other tally) {
	t.services += other.services
	t.instances += other.instances
	for status, n := range other.by {
		t.by[status] += n
	}
}

// share is how many instances have a status.
type share struct {
	State state
	Count string
}

func (t tally) shares() []share {
	var all []share
	for _, status := range states() {
		if n := t.by[status]; n > 0 {
			all = append(all, share{stateOf(status), thousands(n)})
		}
	}
	return all
}

// arrange gives the parts of a page. Host is where the browser reaches the registry.
func (s *site) arrange(v view, known *snapshot, c clock, host string) scene {
	var total, found tally
	var shown []selection
	for _, g := range known.groups {
		total.add(g.count)
		if part := v.pick(g); len(part.picked) > 0 {
			found.add(part.count)
			shown = append(shown, part)
		}
	}
	whole := scene{found: describe(v, total, found), recent: s.recent(v, known, c)}
	pages := paging{}
	if v.Service == "" {
		pages = pagesOf(v, len(shown), maxServices, "services")
		shown = shown[pages.from:pages.to]
	}
	whole.summary = s.ready("summary", struct {
		Found  string
		Shares []share
		View   view
		Pages  paging
	}{whole.found, found.shares(), v, pages})
	for _, part := range shown {
		whole.list = append(whole.list, s.service(v, part, c))
	}
	if len(shown) == 0 {
		whole.list = []block{s.ready("empty", struct {
			View  view
			Total int
			Host  string
		}{v, total.instances, host})}
	}
	return whole
}

// ready gives a block that is rendered already. Its id is the template's name.
func (s *site) ready(name string, data any) block {
	html := s.render(name, data)
	return block{id: name, state: html, html: func() template.HTML { return html }}
}

// describe tells what a page shows.
func describe(v view, total, found tally) string {
	all := plural(total.instances, "instance") + " of " + plural(total.services, "service")
	switch {
	case total.instances == 0:
		return "No instances"
	case v.Plain():
		return all
	}
	text := thousands(found.instances) + " of " + plural(total.instances, "instance")
	if v.Service != "" {
		text += ": those of “" + v.Service + "”"
	}
	if v.Query != "" {
		text += ", with “" + v.Query + "”"
	}
	return text
}

// paging is where a page stands among others.
type paging struct {
	// Text tells which part is shown; empty if it is all.
	Text string
	// Previous and Next are addresses, or empty.
	Previous, Next string
	from, to       int
}

// pagesOf gives the page that a view asks for, or the last one if there are fewer.
func pagesOf(v view, total, size int, noun string) paging {
	last := max(1, (total+size-1)/size)
	page := min(v.Page, last)
	p := paging{from: (page - 1) * size, to: min(total, page*size)}
	if last == 1 {
		return p
	}
	p.Text = "Page " + strconv.Itoa(page) + " of " + strconv.Itoa(last) + ": " + noun + " " + thousands(p.from+1) + " to " + thousands(p.to) + " of " + thousands(total)
	if page > 1 {
		p.Previous = v.at(page - 1).address()
	}
	if page < last {
		p.Next = v.at(page + 1).address()
	}
	return p
}

// anchor makes an id for an element out of names that may hold anything. There is no white space in it.
func anchor(kind string, names ...string) string {
	id := kind
	for _, name := range names {
		id += "/" + url.PathEscape(name)
	}
	return id
}
