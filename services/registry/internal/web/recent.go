package web

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"eventprospect/services/registry/internal/registry"
)

const (
	// maxRecent bounds the changes that are shown, maxSpoken those that are told one by one.
	maxRecent = 50
	maxSpoken = 3
)

// change is what is shown of one change.
type change struct {
	ID, Service, Instance, What string
	Status                      *state // after it; nil where the instance is gone
	When                        moment
}

// recent gives the block of the last changes.
func (s *site) recent(v view, known *snapshot, c clock) block {
	draw := func() template.HTML { return s.drawRecent(v, known, c) }
	var html template.HTML
	if v.Plain() && c.later() {
		html = known.recent.get(draw)
	} else {
		html = draw()
	}
	return block{id: "recent", state: html, html: func() template.HTML { return html }}
}

// drawRecent shows the newest first.
func (s *site) drawRecent(v view, known *snapshot, c clock) template.HTML {
	var changes []change
	for n := len(known.history) - 1; n >= 0 && len(changes) < maxRecent; n-- {
		if e := known.history[n]; v.concerns(e) {
			changes = append(changes, describeChange(e, c))
		}
	}
	return s.render("recent", struct {
		View    view
		Changes []change
	}{v, changes})
}

// concerns tells whether a change belongs to what the view shows.
func (v view) concerns(e registry.Event) bool {
	return (v.Service == "" || v.Service == e.Instance.Service) && v.matches(e.Instance)
}

func describeChange(e registry.Event, c clock) change {
	i := e.Instance
	shown := change{
		ID:      anchor("change", strconv.FormatInt(e.Revision, 10), i.Service, i.ID),
		Service: i.Service, Instance: i.ID, What: verb(e.Action), When: c.moment(e.Time),
	}
	if e.Action != registry.Removed {
		status := stateOf(i.Status())
		shown.Status = &status
	}
	return shown
}

func verb(a registry.Action) string {
	switch a {
	case registry.Added:
		return "joined"
	case registry.Removed:
		return "left"
	default:
		return "changed"
	}
}

// speak tells in words what has changed in a view since a revision, for those who don't see the page.
func speak(v view, known *snapshot, since int64) string {
	var told []string
	count := map[registry.Action]int{}
	for n := len(known.history) - 1; n >= 0 && known.history[n].Revision > since; n-- {
		e := known.history[n]
		if !v.concerns(e) {
			continue
		}
		count[e.Action]++
		text := fmt.Sprintf("%s: %s %s", e.Instance.Service, e.Instance.ID, verb(e.Action))
		if e.Action == registry.Modified {
			text += ", now " + strings.ToLower(stateOf(e.Instance.Status()).Name)
		}
		told = append([]string{text + "."}, told...)
	}
	if len(told) <= maxSpoken {
		return strings.Join(told, " ")
	}
	text := plural(len(told), "change") + ":"
	for _, a := range []registry.Action{registry.Added, registry.Modified, registry.Removed} {
		if n := count[a]; n > 0 {
			text += fmt.Sprintf(" %s %s,", thousands(n), verb(a))
		}
	}
	return strings.TrimSuffix(text, ",") + "."
}
