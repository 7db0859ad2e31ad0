package web

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"eventprospect/mesh/fault"
	"eventprospect/services/registry/internal/registry"
)

// maxQuery bounds the text by which the page is narrowed, in characters.
const maxQuery = 200

// view is the part of the registry that one page shows.
type view struct {
	// Query is the words that an instance must have; empty: all instances.
	Query string
	// Service is the only one shown; empty: all.
	Service string
	// Page counts from 1.
	Page  int
	words []string
}

// parseView reads the parameters of a page. It fails with Invalid.
func parseView(parameters url.Values) (view, error) {
	v := view{Query: strings.TrimSpace(parameters.Get("q")), Service: parameters.Get("service"), Page: 1}
	if utf8.RuneCountInString(v.Query) > maxQuery {
		return view{}, fault.InvalidField("q", "must have at most %d characters", maxQuery)
	}
	v.words = strings.Fields(strings.ToLower(v.Query))
	if number := parameters.Get("page"); number != "" {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			return view{}, fault.InvalidField("page", "must be a number from 1")
		}
		v.Page = n
	}
	return v, nil
}

// address gives the page of a view.
func (v view) address() string {
	parameters := url.Values{}
	if v.Query != "" {
		parameters.Set("q", v.Query)
	}
	if v.Service != "" {
		parameters.Set("service", v.Service)
	}
	if v.Page > 1 {
		parameters.Set("page", strconv.Itoa(v.Page))
	}
	if len(parameters) == 0 {
		return "/"
	}
	return "/?" + parameters.Encode()
}

func (v view) of(service string) view { v.Service, v.Page = service, 1; return v }

func (v view) at(page int) view { v.Page = page; return v }

// Plain tells whether the view shows a service's block as the page without parameters does.
func (v view) Plain() bool { return v.Query == "" && v.Service == "" }

// pick gives the instances of a service that are shown, on whatever page.
func (v view) pick(g *group) selection {
	if v.Service != "" && g.name != v.Service {
		return selection{}
	}
	if len(v.words) == 0 {
		return selection{g, g.instances, g.count}
	}
	var found []registry.Instance
	for _, i := range g.instances {
		if v.matches(i) {
			found = append(found, i)
		}
	}
	return selection{g, found, count(found)}
}

// matches tells whether an instance has all the words.
func (v view) matches(i registry.Instance) bool {
	if len(v.words) == 0 {
		return true
	}
	var text strings.Builder
	for _, part := range []string{i.Service, i.ID, i.Address, i.Zone, stateOf(i.Status()).Name, registration(i)} {
		text.WriteString(part + "\n")
	}
	for key, value := range i.Metadata {
		text.WriteString(key + "=" + value + "\n")
	}
	all := strings.ToLower(text.String())
	for _, word := range v.words {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
