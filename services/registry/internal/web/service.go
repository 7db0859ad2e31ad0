package web

import (
	"html/template"
	"maps"
	"slices"
	"strconv"

	"eventprospect/services/registry/internal/registry"
)

// selection is the instances of a service that a page shows.
type selection struct {
	group  *group
	picked []registry.Instance
	count  tally
}

// serviceBlock is what the block of one service shows.
type serviceBlock struct {
	ID, Name string
	Count    string
	Shares   []share
	Rows     []row
	// All is the address of the page with all instances, empty if they are all here; Pages is for that page.
	All, AllText string
	Pages        paging
}

// row is what is shown of one instance.
type row struct {
	Anchor, ID, Address, Zone, Version string
	// Revision is another one when the instance has changed.
	Revision      string
	Status        state
	Override      string // tells of the status that was set by hand; empty if none was
	Weight        uint32
	Age, Changed  moment
	Registration  string
	Metadata      []entry
	MetadataCount string
}

type entry struct{ Key, Value string }

// service gives the block of one service.
func (s *site) service(v view, part selection, c clock) block {
	b := block{id: anchor("service", part.group.name), state: part.group, revision: part.group.revision}
	b.html = func() template.HTML { return s.render("service", describeService(v, part, c)) }
	if v.Plain() && c.later() {
		draw := b.html
		b.html = func() template.HTML { return part.group.drawn.get(draw) }
	}
	return b
}

func describeService(v view, part selection, c clock) serviceBlock {
	name, picked := part.group.name, part.picked
	b := serviceBlock{ID: anchor("service", name), Name: name, Count: plural(len(picked), "instance"), Shares: part.count.shares()}
	if v.Service != "" {
		b.Pages = pagesOf(v, len(picked), maxRowsOfOne, "instances")
		picked = picked[b.Pages.from:b.Pages.to]
	} else if len(picked) > maxRows {
		b.All, b.AllText = v.of(name).address(), "Show all "+plural(len(picked), "instance")
		picked = picked[:maxRows]
	}
	for _, i := range picked {
		b.Rows = append(b.Rows, describeRow(i, c))
	}
	return b
}

func describeRow(i registry.Instance, c clock) row {
	r := row{
		Anchor: anchor("instance", i.Service, i.ID), ID: i.ID, Address: i.Address, Zone: i.Zone, Version: i.Metadata["version"],
		Revision: strconv.FormatInt(i.UpdateTime.UnixMicro(), 36) + "-" + strconv.FormatInt(i.JoinTime.UnixMicro(), 36),
		Status:   stateOf(i.Status()), Weight: max(1, i.Weight), Age: c.moment(i.JoinTime), Changed: c.moment(i.UpdateTime),
		Override: override(i), Registration: registration(i),
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		r.Metadata = append(r.Metadata, entry{key, i.Metadata[key]})
	}
	r.MetadataCount = strconv.Itoa(len(r.Metadata)) + " metadata"
	return r
}

// registration tells by what an instance lives.
func registration(i registry.Instance) string {
	if i.Leased {
		return "Eureka"
	}
	return "Stream"
}

// override tells of the status that was set by hand.
func override(i registry.Instance) string {
	switch {
	case i.Override == 0:
		return ""
	case i.Reported == registry.Up:
		return "set by hand; it says Up"
	default:
		return "set by hand, for when it says Up: " + stateOf(i.Override).Name
	}
}
